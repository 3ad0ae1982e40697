import type { Milliseconds } from '@portolan/core'

/**
 * How long a registry has been silent, counted in ticks of our own timer. A tick that comes late adds no more than
 * one and a half ticks: while our own event loop was busy, nobody could have been heard.
 */
export interface Silence {
  readonly forMs: Milliseconds
  readonly tickedAt: Milliseconds
}

/** What the network and a busy registry may add to three intervals. */
const allowanceMs = 800

/** Silence of this length means that the registry is gone. */
export function silenceLimit(pingMs: Milliseconds): Milliseconds {
  return 3 * pingMs + allowanceMs
}

export function startSilence(now: Milliseconds): Silence {
  return { forMs: 0, tickedAt: now }
}

/** Something was heard. */
export function heard(silence: Silence): Silence {
  return silence.forMs === 0 ? silence : { forMs: 0, tickedAt: silence.tickedAt }
}

/** A tick of `tickMs` is over (perhaps long over). */
export function tick(silence: Silence, now: Milliseconds, tickMs: Milliseconds): Silence {
  const elapsed = Math.min(now - silence.tickedAt, 1.5 * tickMs)
  return { forMs: silence.forMs + elapsed, tickedAt: now }
}
