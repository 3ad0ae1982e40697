import { heldUntil, type Milliseconds, penaltyAt } from '@portolan/core'
import type { CheckStanding } from './health.ts'
import type { Run } from './subject.ts'

export interface StandingParts {
  /** In fair time. */
  readonly now: Milliseconds
  /** In real time. */
  readonly realNow: Milliseconds
  /** The time of day, ISO 8601, of a moment in real time. */
  readonly timeOf: (at: Milliseconds) => string
  readonly keptIntervalMs: Milliseconds
}

/** One check as people and programs see it. */
export function standingOf(run: Run, { now, realNow, timeOf, keptIntervalMs }: StandingParts): CheckStanding {
  const { check, more, resultAt, latencyUs } = run
  const until = more === undefined ? undefined : heldUntil(more.penalty, now)
  return {
    id: check.id,
    type: check.type,
    phase: phaseOf(run),
    reason: more?.reason ?? '',
    ...(resultAt < 0 ? {} : { lastAt: timeOf(resultAt), latencyMs: latencyUs / 1000 }),
    ...(more?.output === undefined ? {} : { output: more.output }),
    ...(more?.metrics === undefined ? {} : { metrics: more.metrics }),
    intervalMs: check.intervalMs,
    keptIntervalMs: Math.round(keptIntervalMs),
    penalty: more === undefined ? 0 : Math.round(penaltyAt(more.penalty, now) * 100) / 100,
    ...(until === undefined ? {} : { heldUntil: timeOf(realNow + until - now) }),
  }
}

export function phaseOf({ state, more }: Run): CheckStanding['phase'] {
  return state.phase === 'passing' && more?.wear.warning !== undefined ? 'warning' : state.phase
}
