import { type Cause, type Check, checkTypes, type Degraded, toFault } from '@portolan/core'
import { startingOwner } from '../registry/incarnation.ts'
import type { Registry, Verdict } from '../registry/registry.ts'
import { degradationOf } from './examiner.ts'
import type { Run, Subject } from './subject.ts'

export interface VerdictsParts {
  readonly registry: Registry
  readonly onFault: (thrown: unknown) => void
}

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
    const verdict = verdictOf(run)
    if (verdict === undefined) return
    run.verdict = 'sent'
    this.#parts.registry
      .judge(run.subject.instance, verdict)
      .catch((thrown: unknown) => this.#parts.onFault(toFault(thrown)))
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
function verdictOf(run: Run): Verdict | undefined {
  const { subject, check, state } = run
  const { instance } = subject
  const { incarnation } = instance
  const isOut = state.phase === 'critical'
  const cause = causeOf(subject, check)
  const verdict = {
    ...(isOut && cause === undefined ? { cause: { kind: check.type, reason: reasonOf(run) } } : {}),
    ...(!isOut && cause !== undefined && state.phase === 'passing'
      ? { cause: { kind: check.type, reason: undefined } }
      : {}),
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

function reasonOf({ more, check }: Run): string {
  return more?.reason || `its ${check.type} check fails`
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
