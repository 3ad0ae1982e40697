import {
  type Cause,
  type Check,
  checkTypes,
  type Degraded,
  type Milliseconds,
  type Penalty,
  toFault,
} from '@portolan/core'
import { startingOwner } from '../registry/incarnation.ts'
import { limits } from '../registry/limits.ts'
import type { Registry, Verdict } from '../registry/registry.ts'
import { degradationOf } from './examiner.ts'
import type { PenaltyTime } from './penalty-time.ts'
import { moreOf, type Run, type Subject, type Told } from './subject.ts'

export interface VerdictsParts {
  readonly registry: Registry
  readonly time: PenaltyTime
  readonly onFault: (thrown: unknown) => void
}

/** Each other reason is news for all who watch, and some programs have a new one each time. */
const reasonEveryMs: Milliseconds = 10_000

/**
 * Keeps what the registry says of an instance equal to what its checks say. It compares rather than counts steps:
 * a verdict that the store refused, or that protection held back, is said again after the next look.
 */
export class Verdicts {
  readonly #parts: VerdictsParts

  constructor(parts: VerdictsParts) {
    this.#parts = parts
  }

  settle(run: Run): void {
    if (run.verdict !== 'none') {
      run.verdict = 'again'
      return
    }
    const { time, registry, onFault } = this.#parts
    const verdict = verdictOf(run, time)
    if (verdict === undefined) return
    run.verdict = 'sent'
    if (verdict.cause?.reason !== undefined) moreOf(run).told = toldOf(run, time.now)
    registry
      .judge(run.subject.instance, verdict)
      .catch((thrown: unknown) => {
        if (run.more !== undefined) run.more.told = undefined
        onFault(toFault(thrown))
      })
      .finally(() => {
        const isDue = run.verdict === 'again'
        run.verdict = 'none'
        // Unless it is no check of the instance any more.
        if (isDue && run.subject.runs.includes(run)) this.settle(run)
      })
  }

  /** Lifts what checks have set that are no more, and `starting` where nothing tests the instance. */
  sweep(subject: Subject): void {
    const { instance, runs } = subject
    const strays = new Map<string, Verdict>()
    const { incarnation } = instance
    for (const { kind, owner } of instance.causes) {
      if (!isOfCheck(kind) || runs.some(({ check }) => check.type === kind && check.id === owner)) continue
      strays.set(owner, { incarnation, owner, cause: { kind, reason: undefined } })
    }
    for (const { owner } of instance.degraded ?? []) {
      if (runs.some(({ check }) => check.id === owner)) continue
      strays.set(owner, { incarnation, owner, ...strays.get(owner), degraded: 'lifted' })
    }
    if (runs.length === 0 && isStarting(subject)) {
      strays.set(startingOwner, { incarnation, owner: startingOwner, started: true })
    }
    for (const verdict of strays.values()) {
      const { registry, onFault } = this.#parts
      registry.judge(instance, verdict).catch((thrown: unknown) => onFault(toFault(thrown)))
    }
  }
}

/** What the registry has to change for this check to be heard; undefined = nothing. */
function verdictOf(run: Run, time: PenaltyTime): Verdict | undefined {
  const { subject, check } = run
  const { instance } = subject
  const { incarnation } = instance
  const verdict = {
    ...causeChange(run, time),
    ...degradedChange(run),
    ...(isStarting(subject) && subject.runs.every(hasPassed) ? { started: true } : {}),
  }
  return Object.keys(verdict).length === 0 ? undefined : { incarnation, owner: check.id, ...verdict }
}

function degradedChange(run: Run): Pick<Verdict, 'degraded'> {
  const wanted = degradationOf(run)
  const said = degradedOf(run.subject, run.check)
  if (wanted === undefined) return said === undefined ? {} : { degraded: 'lifted' }
  const isSaid = said?.factor === wanted.factor && said.reason === wanted.reason
  return isSaid ? {} : { degraded: wanted }
}

function causeChange(run: Run, time: PenaltyTime): Pick<Verdict, 'cause'> {
  const { subject, check, state, more } = run
  const kind = check.type
  const cause = causeOf(subject, check)
  if (state.phase === 'passing') return cause === undefined ? {} : { cause: { kind, reason: undefined } }
  if (state.phase !== 'critical') return {}
  const { at = Number.NEGATIVE_INFINITY, penalty: told } = more?.told ?? {}
  const penalty = suppressing(run)
  // While it passes again it has no reason, and the last one holds.
  const reason = more?.reason || cause?.reason || `its ${kind} check fails`
  const isNew = cause === undefined || penalty !== told
  const isOther = cause !== undefined && essenceOf(reason) !== essenceOf(cause.reason)
  if (!isNew && !(isOther && time.now - at >= reasonEveryMs)) return {}
  return { cause: { kind, reason, ...(penalty === undefined ? {} : { penalty: time.stored(penalty) }) } }
}

export function toldOf(run: Run, at: Milliseconds): Told {
  return { at, penalty: suppressing(run) }
}

function suppressing({ more }: Run): Penalty | undefined {
  return more?.penalty.suppressed === true ? more.penalty : undefined
}

/** What a reason says, but for the time-out that applied: re-checks have another one than regular looks. */
function essenceOf(reason: string): string {
  return reason.slice(0, limits.reason).replace(/ within \d.*$/, '')
}

export function causeOf({ instance }: Subject, { type, id }: Check): Cause | undefined {
  return instance.causes.find(({ kind, owner }) => kind === type && owner === id)
}

function degradedOf({ instance }: Subject, { id }: Check): Degraded | undefined {
  return instance.degraded?.find(({ owner }) => owner === id)
}

export function isStarting({ instance }: Pick<Subject, 'instance'>): boolean {
  return instance.causes.some(({ kind, owner }) => kind === 'starting' && owner === startingOwner)
}

function hasPassed({ state }: Run): boolean {
  return state.hasPassed && state.phase === 'passing'
}

function isOfCheck(kind: Cause['kind']): kind is Check['type'] {
  return (checkTypes as readonly string[]).includes(kind)
}
