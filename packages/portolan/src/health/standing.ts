import { heldUntil, type Milliseconds, penaltyAt } from '@portolan/core'
import { aimOf } from './aims.ts'
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
  const heldTime = until === undefined ? undefined : timeOf(realNow + until - now)
  return {
    id: check.id,
    type: check.type,
    aim: aimOf(check, run.subject.instance),
    phase: phaseOf(run),
    reason: reasonOf(run, heldTime),
    ...(resultAt < 0 ? {} : { lastAt: timeOf(resultAt), latencyMs: latencyUs / 1000 }),
    ...(more?.output === undefined ? {} : { output: more.output }),
    ...(more?.metrics === undefined ? {} : { metrics: more.metrics }),
    intervalMs: check.intervalMs,
    keptIntervalMs: Math.round(keptIntervalMs),
    penalty: more === undefined ? 0 : Math.round(penaltyAt(more.penalty, now) * 100) / 100,
    ...(heldTime === undefined ? {} : { heldUntil: heldTime }),
  }
}

/** Of one that is out and passes again, what it still waits for. */
function reasonOf({ state, check, more }: Run, heldTime: string | undefined): string {
  const reason = more?.reason ?? ''
  if (reason !== '' || state.phase !== 'critical' || state.passes === 0) return reason
  const needed = state.hasPassed ? check.rise : 1
  return heldTime === undefined || state.passes < needed
    ? `passed ${state.passes} of ${needed}`
    : `passes, held back until ${heldTime}`
}

export function phaseOf({ state, more }: Run): CheckStanding['phase'] {
  return state.phase === 'passing' && more?.wear.warning !== undefined ? 'warning' : state.phase
}
