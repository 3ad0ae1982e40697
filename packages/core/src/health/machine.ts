import type { HealthRules } from './defaults.ts'

/**
 * Where one check of one instance stands. `new`: it never had a result, and no vote. `suspect`: something failed, and
 * its re-checks decide. Only `critical` takes the instance out.
 */
export type CheckPhase = 'new' | 'passing' | 'suspect' | 'critical'

/** The state machine of one check: immutable, and small, since there may be 100,000. */
export interface CheckState {
  readonly phase: CheckPhase
  /** Whether it passed in this run: then it takes `rise` passes to come back, else the first is enough. */
  readonly hasPassed: boolean
  /** Passes in a row while critical. */
  readonly passes: number
  /** Counts suspicions: a re-check carries the number of its own, and means nothing to the next. */
  readonly round: number
  /** Re-checks of this round that have not failed. */
  readonly open: number
}

/** What follows from one input. */
export interface CheckStep {
  readonly state: CheckState
  /**
   * `recheck`: start the re-checks of `state.round` now (`rechecks` of them, one every `recheckEveryMs`); regular
   * probes pause until it is decided. `settled`: the suspicion is over, what is left of its re-checks may be called off.
   */
  readonly rechecks: 'start' | 'settled' | undefined
  /** `out`: set the cause. `in`: lift it. `begun`: the first pass of this run or of this check. */
  readonly change: 'out' | 'in' | 'begun' | undefined
}

/** One result, as the machine wants it: a warning passes. */
export interface CheckResult {
  readonly passed: boolean
  /** The round of the re-check; undefined = a regular probe. */
  readonly round: number | undefined
  /** Whether flap damping keeps the instance out for now, however well it answers. */
  readonly held: boolean
}

/**
 * A check before its first result of this process. `critical`: its cause is stored, so it is out until it passes
 * again. `passing`: it was well when the registry stopped, and stays until it fails.
 */
export function beginCheck(phase: 'new' | 'passing' | 'critical'): CheckState {
  return { phase, hasPassed: phase !== 'new', passes: 0, round: 0, open: 0 }
}

/** A probe has ended. */
export function found(state: CheckState, result: CheckResult, rise: number, rules: HealthRules): CheckStep {
  if (result.round !== undefined && result.round !== state.round) return same(state)
  if (result.passed) return passed(state, result.held, rise)
  switch (state.phase) {
    case 'new':
    case 'passing':
      return suspect(state, rules)
    case 'suspect':
      return result.round === undefined ? same(state) : recheckFailed(state)
    case 'critical':
      return same(state.passes === 0 ? state : { ...state, passes: 0 })
  }
}

/**
 * Something else casts doubt on the instance: a consumer's error, or a probe that is unanswered after
 * `suspectAfterMs`. It takes nobody out; it brings the re-checks forward.
 */
export function suspected(state: CheckState, rules: HealthRules): CheckStep {
  return state.phase === 'new' || state.phase === 'passing' ? suspect(state, rules) : same(state)
}

function passed(state: CheckState, held: boolean, rise: number): CheckStep {
  if (state.phase !== 'critical') {
    const settled = state.phase === 'suspect' ? 'settled' : undefined
    const change = state.hasPassed ? undefined : 'begun'
    return { state: well(state), rechecks: settled, change }
  }
  const passes = state.passes + 1
  const enough = passes >= (state.hasPassed ? rise : 1)
  if (!enough || held) return same({ ...state, passes })
  return { state: well(state), rechecks: undefined, change: 'in' }
}

function suspect(state: CheckState, { rechecks }: HealthRules): CheckStep {
  const round = state.round + 1
  if (rechecks === 0) return out({ ...state, round })
  return {
    state: { ...state, phase: 'suspect', round, open: rechecks },
    rechecks: 'start',
    change: undefined,
  }
}

function recheckFailed(state: CheckState): CheckStep {
  if (state.open > 1) return same({ ...state, open: state.open - 1 })
  return { ...out(state), rechecks: 'settled' }
}

function out(state: CheckState): CheckStep {
  return { state: { ...state, phase: 'critical', passes: 0, open: 0 }, rechecks: undefined, change: 'out' }
}

function well(state: CheckState): CheckState {
  if (state.phase === 'passing' && state.hasPassed) return state
  return { ...state, phase: 'passing', hasPassed: true, passes: 0, open: 0 }
}

function same(state: CheckState): CheckStep {
  return { state, rechecks: undefined, change: undefined }
}
