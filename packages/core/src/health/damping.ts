import type { Milliseconds } from '../time/clock.ts'

/**
 * Flap damping after RFC 2439: each time that a check takes an instance out its penalty grows by one; it decays by
 * half every `halfLifeMs`. Who passes `suppress` stays out until the penalty is below `reuse`.
 */
export interface DampingRules {
  readonly halfLifeMs: Milliseconds
  readonly suppress: number
  readonly reuse: number
  /** The penalty grows no further: so nobody is held longer than `halfLifeMs · log2(most / reuse)`. */
  readonly most: number
}

/** Three times out within a minute or so: held for 20 s and more, for a minute at the longest. */
export const dampingRules: DampingRules = { halfLifeMs: 30_000, suppress: 2.5, reuse: 1.5, most: 6 }

/** A penalty as of a moment. */
export interface Penalty {
  readonly value: number
  readonly at: Milliseconds
  /** Passed `suppress`, and has not been below `reuse` since. */
  readonly suppressed: boolean
}

export const noPenalty: Penalty = { value: 0, at: 0, suppressed: false }

/** The penalty after one more time out. */
export function penalised(penalty: Penalty, now: Milliseconds, rules = dampingRules): Penalty {
  const value = Math.min(rules.most, penaltyAt(penalty, now, rules) + 1)
  return { value, at: now, suppressed: isHeld(penalty, now, rules) || value > rules.suppress }
}

/** Takes one time out back: it was everybody's, so it says nothing about this one. */
export function forgiven(penalty: Penalty, now: Milliseconds, rules = dampingRules): Penalty {
  const value = Math.max(0, penaltyAt(penalty, now, rules) - 1)
  if (value === 0) return noPenalty
  return { value, at: now, suppressed: penalty.suppressed && value > rules.suppress }
}

/** The decayed value. */
export function penaltyAt(penalty: Penalty, now: Milliseconds, { halfLifeMs } = dampingRules): number {
  if (penalty.value === 0) return 0
  return penalty.value * 2 ** (-Math.max(0, now - penalty.at) / halfLifeMs)
}

/** Whether it stays out, however well it answers. */
export function isHeld(penalty: Penalty, now: Milliseconds, rules = dampingRules): boolean {
  return penalty.suppressed && penaltyAt(penalty, now, rules) >= rules.reuse
}

/** Until when it is held; undefined = it is not. */
export function heldUntil(
  penalty: Penalty,
  now: Milliseconds,
  rules = dampingRules,
): Milliseconds | undefined {
  if (!isHeld(penalty, now, rules)) return undefined
  return penalty.at + rules.halfLifeMs * Math.log2(penalty.value / rules.reuse)
}
