import { isDeepStrictEqual } from 'node:util'
import type { Check, Instance, InstanceName } from '@portolan/core'
import type { Held } from '../registry/records.ts'
import type { InstanceObserver, Watched } from '../registry/registry.ts'
import type { Examiner } from './examiner.ts'
import type { FairTime } from './fair-time.ts'
import type { ServiceChecks } from './health.ts'
import { phaseOf } from './pace.ts'
import type { PenaltyTime } from './penalty-time.ts'
import { bareConnect } from './prober.ts'
import type { Roll, Rolls } from './roll.ts'
import { beginnings, moreOf, Run, Subject } from './subject.ts'
import { causeOf, isStarting, toldOf, type Verdicts } from './verdicts.ts'

export interface MonitorParts {
  readonly rolls: Rolls
  readonly examiner: Examiner
  readonly verdicts: Verdicts
  readonly time: FairTime
  readonly penalties: PenaltyTime
  readonly checks: ServiceChecks
  readonly note: (subject: Subject, by: string, what: string) => void
}

/** Knows who is to be tested by what: instances as the registry tells of them, checks as they or the configuration say. */
export class Monitor implements InstanceObserver {
  readonly #parts: MonitorParts
  #checks: ServiceChecks

  constructor(parts: MonitorParts) {
    this.#parts = parts
    this.#checks = parts.checks
  }

  present({ instance, checks, held }: Watched): void {
    const { rolls } = this.#parts
    const roll = rolls.of(instance, () => this.#checks(instance))
    const known = roll.subjects.get(instance.id)
    if (known === undefined || known.instance.incarnation !== instance.incarnation) {
      if (known !== undefined) this.#end(known)
      this.#begin(roll, instance, checks, held)
      return
    }
    const before = known.instance
    known.instance = instance
    if (checks !== known.asked && !isDeepStrictEqual(checks, known.asked)) {
      known.asked = checks
      this.#equip(known, roll)
    } else if (
      before.ports !== instance.ports &&
      known.asked === undefined &&
      roll.configured === undefined
    ) {
      this.#equip(known, roll)
    }
    // A verdict may have been on its way when its check went.
    if (before.causes !== instance.causes || before.degraded !== instance.degraded)
      this.#parts.verdicts.sweep(known)
    // What vouched for it does so no more: its checks must not wait for their stretched turn.
    if (isDisconnected(instance) && !isDisconnected(before)) {
      for (const run of known.runs) this.#parts.examiner.hasten(run)
    }
  }

  gone(name: InstanceName): void {
    const subject = this.#parts.rolls.find(name)
    if (subject === undefined) return
    this.#end(subject)
    this.#parts.rolls.remove(name)
  }

  happened(name: InstanceName, by: string, what: string): void {
    const subject = this.#parts.rolls.find(name)
    if (subject !== undefined) this.#parts.note(subject, by, what)
  }

  /** Other checks of services; those that are equal in all fields go on where they are. */
  configure(checks: ServiceChecks): void {
    this.#checks = checks
    for (const roll of this.#parts.rolls.all()) {
      const configured = checks(roll.name)
      if (isDeepStrictEqual(configured, roll.configured)) continue
      roll.configured = configured
      for (const subject of roll.subjects.values()) {
        if (subject.asked === undefined) this.#equip(subject, roll)
      }
    }
  }

  close(): void {
    for (const subject of this.#parts.rolls.subjects()) this.#end(subject)
  }

  #begin(
    roll: Roll,
    instance: Instance,
    asked: readonly Check[] | undefined,
    held: readonly Held[] = [],
  ): void {
    const { verdicts } = this.#parts
    const subject = new Subject(instance, asked)
    roll.subjects.set(instance.id, subject)
    const starting = isStarting(subject)
    this.#test(
      subject,
      checksFor(instance, asked, roll.configured).map(check => {
        const run = this.#run(subject, check, beginningOf(subject, check, starting))
        this.#remember(run, held)
        return run
      }),
    )
    verdicts.sweep(subject)
  }

  /** Why it is out is stored, and how long it is held. */
  #remember(run: Run, held: readonly Held[]): void {
    const cause = causeOf(run.subject, run.check)
    if (cause === undefined) return
    const { penalties, time } = this.#parts
    const more = moreOf(run)
    more.reason = cause.reason
    const penalty = held.find(({ owner }) => owner === run.check.id)
    if (penalty !== undefined) more.penalty = penalties.restored(penalty)
    more.told = toldOf(run, time.now)
  }

  /** Gives it the checks that it is to have now. A check that is new to it has no vote until it ran. */
  #equip(subject: Subject, roll: Roll): void {
    const { examiner, verdicts, note } = this.#parts
    const before = subject.runs
    const wanted = checksFor(subject.instance, subject.asked, roll.configured)
    const runs = wanted.map(
      check =>
        before.find(run => isDeepStrictEqual(run.check, check)) ?? this.#run(subject, check, beginnings.new),
    )
    for (const run of before) {
      if (runs.includes(run)) continue
      examiner.end(run)
      if (subject.history !== undefined) note(subject, run.check.id, 'no check of this instance any more')
    }
    const added = runs.filter(run => !before.includes(run))
    subject.runs = runs
    for (const run of added) examiner.begin(run, true)
    verdicts.sweep(subject)
    // One that is gone may have been the last that `starting` waited for.
    for (const run of runs) verdicts.settle(run)
  }

  #test(subject: Subject, runs: readonly Run[]): void {
    subject.runs = runs
    for (const run of runs) this.#parts.examiner.begin(run, run.state.phase === 'new')
  }

  #run(subject: Subject, check: Check, state: Run['state']): Run {
    const { time, examiner } = this.#parts
    return new Run(subject, check, state, phaseOf(subject.instance, check.id), examiner, time.now)
  }

  #end(subject: Subject): void {
    for (const run of subject.runs) this.#parts.examiner.end(run)
  }
}

/** Its own, if it asked for any in particular (`[]` = none); else the configuration's; else a TCP connect. */
export function checksFor(
  { ports }: Pick<Instance, 'ports'>,
  asked: readonly Check[] | undefined,
  configured: readonly Check[] | undefined,
): readonly Check[] {
  const said = asked ?? configured
  if (said !== undefined) return said
  const connect = bareConnect({ ports })
  return connect === undefined ? [] : [connect]
}

/** A stored cause of a check means that it has to pass again; none, that it was well when the registry stopped. */
function beginningOf(subject: Subject, check: Check, starting: boolean): Run['state'] {
  if (causeOf(subject, check) !== undefined) return beginnings.critical
  return starting ? beginnings.new : beginnings.passing
}

export function isDisconnected({ causes }: Instance): boolean {
  return causes.some(({ kind }) => kind === 'disconnected')
}
