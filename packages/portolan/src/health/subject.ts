import {
  beginCheck,
  type Check,
  type CheckState,
  type Instance,
  type Milliseconds,
  noPenalty,
  noWear,
  type Penalty,
  type Wear,
} from '@portolan/core'
import type { History } from './history.ts'
import type { Look } from './looks.ts'
import type { Suspicion } from './suspicion.ts'
import type { Timed } from './wheel.ts'

/** Who is told when a check is due. */
export interface Examining {
  due(run: Run, now: Milliseconds): void
}

/** One instance, in one run of it, with the checks that it is tested by. There may be 100,000: nothing here is spent lightly. */
export class Subject {
  instance: Instance
  /** The checks that came with its registration. */
  asked: readonly Check[] | undefined
  runs: readonly Run[] = none
  /** When a consumer's request, or its own report, spoke well of it last; below 0 = never. */
  heardAt: Milliseconds = -1
  /** When a consumer's word was followed up last. */
  doubtedAt: Milliseconds = -1
  history: History | undefined

  constructor(instance: Instance, asked: readonly Check[] | undefined) {
    this.instance = instance
    this.asked = asked
  }
}

const none: readonly Run[] = Object.freeze([])

/** One check of one instance: its place in time, where it stands, and what is under way. */
export class Run implements Timed {
  at: Milliseconds = 0
  previous: Timed | undefined = undefined
  next: Timed | undefined = undefined
  readonly subject: Subject
  readonly examining: Examining
  readonly check: Check
  state: CheckState
  /** Its share of 2^16 of the interval: where in it its turn is. */
  readonly phase: number
  /** When it was asked last, or would have been. */
  askedAt: Milliseconds
  /** The number of the stretched turn that it was asked in last. */
  turn = 0
  /** When the last result came, in real time; below 0 = none yet. */
  resultAt: Milliseconds = -1
  /** Of the last answer, in whole microseconds. */
  latencyUs = 0
  /** Whether the budget counts it among the fresh. */
  isFresh = false
  /** Whether a verdict of it is on its way to the registry. */
  verdict: 'none' | 'sent' | 'again' = 'none'
  /** The regular look under way. */
  look: Look | undefined = undefined
  suspicion: Suspicion | undefined = undefined
  /** What only those have with whom something is, or was, the matter. */
  more: More | undefined = undefined

  constructor(
    subject: Subject,
    check: Check,
    state: CheckState,
    phase: number,
    examining: Examining,
    now: number,
  ) {
    this.subject = subject
    this.check = check
    this.state = state
    this.phase = phase
    this.examining = examining
    this.askedAt = now
  }

  ring(now: Milliseconds): void {
    this.examining.due(this, now)
  }
}

/** What is known of a check beyond its state. */
export interface More {
  reason: string
  output: string | undefined
  metrics: Readonly<Record<string, number>> | undefined
  penalty: Penalty
  wear: Wear
  /** How long its answers take, where that is long: it falls as slowly as a mean, and rises at once. */
  needMs: Milliseconds
  /** What the registry was told last of its being out, and when, in fair time. */
  told: Told | undefined
}

export interface Told {
  readonly at: Milliseconds
  /** Undefined where flap damping did not hold it. */
  readonly penalty: Penalty | undefined
}

export function moreOf(run: Run): More {
  run.more ??= {
    reason: '',
    output: undefined,
    metrics: undefined,
    penalty: noPenalty,
    wear: noWear,
    needMs: 0,
    told: undefined,
  }
  return run.more
}

/** The three beginnings, shared by all. The passing one is also where a check that is well comes to rest. */
export const beginnings = {
  new: beginCheck('new'),
  passing: beginCheck('passing'),
  critical: beginCheck('critical'),
} as const

/** The same state as one object for all that are well. Nothing of earlier rounds may be under way. */
export function atRest(state: CheckState): CheckState {
  return state.phase === 'passing' && state.hasPassed ? beginnings.passing : state
}
