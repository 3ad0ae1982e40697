import type { Milliseconds } from '../time/clock.ts'

/** An instance that stays in the view until `at`, unless somebody confirms it before. */
export interface Leaving {
  readonly id: string
  readonly at: Milliseconds
}

/** How long the last of those who vanished stay: long enough for an instance to re-register after an outage. */
const spreadMs = 7500

/** At most this part of the set leaves in one step. */
const stepShare = 0.2

/**
 * When those who vanished without cause or goodbye leave a set of `size`: in equal steps of at most a fifth of the
 * set (but one instance at least), the last of them 7.5 s from now. Soonest first.
 */
export function planLeaving(ids: readonly string[], size: number, now: Milliseconds): Leaving[] {
  const perStep = Math.max(1, Math.floor(size * stepShare))
  const steps = Math.ceil(ids.length / perStep)
  return ids.map((id, index) => ({
    id,
    at: now + (spreadMs * (Math.floor(index / perStep) + 1)) / steps,
  }))
}
