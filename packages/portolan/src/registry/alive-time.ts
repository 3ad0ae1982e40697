import type { Milliseconds } from '@portolan/core'

/**
 * The time that this process was there to listen. Leases run in it: while our event loop was busy, or the whole
 * process stopped, nobody could be heard, so that this time is held against nobody.
 */
export interface AliveTime {
  readonly alive: Milliseconds
  readonly checkedAt: Milliseconds
  /** The last check came so late that what was sent meanwhile may still wait to be read. */
  readonly wasLate: boolean
}

export function aliveFrom(now: Milliseconds): AliveTime {
  return { alive: 0, checkedAt: now, wasLate: false }
}

/** The alive time at a check that was planned `plannedMs` after the one before: what it came late adds nothing. */
export function advance(time: AliveTime, now: Milliseconds, plannedMs: Milliseconds): AliveTime {
  const elapsed = now - time.checkedAt
  return {
    alive: time.alive + Math.min(elapsed, plannedMs),
    checkedAt: now,
    wasLate: elapsed > 2 * plannedMs,
  }
}
