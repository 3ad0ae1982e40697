import {
  type BudgetRules,
  budgetRules,
  type Clock,
  healthRules,
  isHeld,
  type Milliseconds,
  type Random,
  toFault,
} from '@portolan/core'
import type { Registry as MetricsRegistry } from 'prom-client'
import type { HealthLimits } from '../config/resolve.ts'
import type { Log } from '../observe/log.ts'
import type { Registry } from '../registry/registry.ts'
import { realTimers, type Timers } from '../registry/timers.ts'
import { DayTime } from './day-time.ts'
import { Examiner } from './examiner.ts'
import { FairTime } from './fair-time.ts'
import type { Health, ServiceChecks } from './health.ts'
import { eventsOf, noted } from './history.ts'
import { Looks, type Probes } from './looks.ts'
import { type HealthLoop, type HealthState, openHealthMetrics, resultOf } from './metrics.ts'
import { checksFor, isDisconnected, Monitor } from './monitor.ts'
import { PenaltyTime } from './penalty-time.ts'
import { isAtMainPort, proberOf } from './prober.ts'
import { DoubtLimit, follow, heartbeat, statusOf } from './reports.ts'
import { Rolls } from './roll.ts'
import { phaseOf, standingOf } from './standing.ts'
import { Stretching } from './stretching.ts'
import type { Run, Subject } from './subject.ts'
import { Verdicts } from './verdicts.ts'

export interface HealthOptions {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly metrics: MetricsRegistry
  readonly probes: Probes
  /** What the configuration gives to services. Default: nothing in particular. */
  readonly checks?: ServiceChecks
  /** Whatever differs from `defaultLimits`. */
  readonly limits?: Partial<HealthLimits>
  readonly timers?: Timers
}

const defaultLimits: HealthLimits = {
  budget: budgetRules.share,
  freePerSecond: budgetRules.freePerSecond,
  maxPerSecond: budgetRules.maxPerSecond,
  concurrency: 512,
  rules: healthRules,
}

/** The same failure is in the log once in so long. */
const repeatMs: Milliseconds = 10_000

/** Of the registry's own questions, so many are asked at the same time. */
const registryQuestions = 128

/**
 * After a restart the sessions of all that live come back at once, and what comes through them makes most checks needless:
 * for so long, checks leave them the time.
 */
const returning = { forMs: 15_000, maxPerSecond: 1000 }

export function openHealth(options: HealthOptions): Health {
  const { clock, random, log, probes } = options
  const timers = options.timers ?? realTimers
  let limits: HealthLimits = { ...defaultLimits, ...options.limits }
  let checks: ServiceChecks = options.checks ?? (() => undefined)

  const rolls = new Rolls()
  const metrics = openHealthMetrics(options.metrics, {
    checks: () => countChecks(),
    looks: () => looks.counts(),
    stretch: () => stretching.stretch.fresh * stretching.stretch.all,
  })
  const said = { message: '', at: Number.NEGATIVE_INFINITY }
  const onFault = (loop: HealthLoop) => (thrown: unknown) => {
    const fault = toFault(thrown)
    metrics.errors.inc({ loop })
    metrics.lastErrorSeconds.set({ loop }, Date.parse(timers.timeOfDay()) / 1000)
    // What fails for one check fails for thousands.
    if (said.message === fault.message && clock.now() - said.at < repeatMs) return
    Object.assign(said, { message: fault.message, at: clock.now() })
    log.error({ loop, code: fault.code, err: fault }, 'health checking met a failure')
  }
  const time = new FairTime({
    clock,
    timers,
    onLag: ms => metrics.lagSeconds.inc(ms / 1000),
    onFault: onFault('checks'),
  })
  const penalties = new PenaltyTime(time, () => timers.timeOfDay())
  const days = new DayTime(time, () => timers.timeOfDay())
  const looks = new Looks({
    time,
    probes,
    most: limits.concurrency,
    nextTurn: run => void timers.after(0, run),
    onFinding(type, { status, latencyMs }, isTimeout) {
      metrics.probes.inc({ type, result: resultOf(status, isTimeout) })
      if (!isTimeout) metrics.probeSeconds.observe({ type }, latencyMs / 1000)
    },
    onFault: onFault('checks'),
  })
  const budget = (): BudgetRules => {
    const { budget: share, freePerSecond } = limits
    const most =
      areReturning && time.now < returning.forMs ? returning.maxPerSecond : Number.POSITIVE_INFINITY
    return { ...budgetRules, share, freePerSecond, maxPerSecond: Math.min(limits.maxPerSecond, most) }
  }
  const stretching = new Stretching({ time, rules: budget, log })

  const note = (subject: Subject, by: string, what: string): void => {
    subject.history = noted(subject.history, days.mark, by, what)
  }
  const limit = new DoubtLimit()
  /** Some are here from before a start whose sessions are not back yet. */
  let areReturning = false
  let registry: Registry | undefined
  let verdicts: Verdicts | undefined
  let monitor: Monitor | undefined
  let stopObserving = () => {}
  let closing: Promise<void> | undefined

  const examiner = new Examiner({
    time,
    looks,
    rules: () => limits.rules,
    stretching,
    random,
    timeOf: at => days.ofReal(at),
    note: ({ subject, check }, what) => note(subject, check.id, what),
    onOut(run, now) {
      const { instance } = run.subject
      metrics.outs.inc({ type: run.check.type })
      const roll = rolls.known(instance)
      roll?.outs.add(run, roll.subjects.size, now)
    },
    onFinding(run, { presence }) {
      const { instance } = run.subject
      verdicts?.settle(run)
      const isProof = presence === 'refused' && isAtMainPort(instance, run.check)
      const isSign = presence !== 'refused' && presence !== 'silent' && instance.causes.length > 0
      if (isProof || isSign) registry?.proved(instance, instance.incarnation, presence)
    },
  })

  function countChecks(): ReturnType<HealthState['checks']> {
    const byPhase = { new: 0, passing: 0, warning: 0, suspect: 0, critical: 0 }
    let held = 0
    for (const { runs } of rolls.subjects()) {
      for (const run of runs) {
        byPhase[phaseOf(run)]++
        if (run.more !== undefined && isHeld(run.more.penalty, time.now)) held++
      }
    }
    return { byPhase, held }
  }

  const timeOf = (at: Milliseconds): string => days.ofReal(at)
  const standing = (run: Run) =>
    standingOf(run, { now: time.now, realNow: time.real, timeOf, keptIntervalMs: stretching.keptOf(run) })

  return {
    prober: proberOf({
      looks,
      most: registryQuestions,
      checksOf: (instance, asked) => checksFor(instance, asked, checks(instance)),
    }),

    startingReason(registration, asked, tether) {
      const wanted = checksFor(registration, asked, checks(registration))
      // A supervisor has seen the port open.
      const isVouchedFor = tether === 'process' && (asked ?? checks(registration)) === undefined
      return wanted.length === 0 || isVouchedFor ? undefined : 'its checks have not passed yet'
    },

    attach(to) {
      registry = to
      verdicts = new Verdicts({ registry: to, time: penalties, onFault: onFault('verdicts') })
      monitor = new Monitor({ rolls, examiner, verdicts, time, penalties, checks, note })
      stopObserving = to.observe(monitor)
      areReturning = [...rolls.subjects()].some(({ instance }) => isDisconnected(instance))
    },

    configure(next, changed) {
      checks = next
      limits = { ...limits, ...changed }
      looks.limit(limits.concurrency)
      monitor?.configure(next)
    },

    reported(reporter, service, report) {
      stretching.counted(report)
      const roll = rolls.known(service)
      if (roll === undefined) return
      const failures = follow({ roll, examiner, time, limit, note }, reporter, report)
      if (failures > 0) metrics.reportedFailures.inc(failures)
    },

    hearing: heardAgo => stretching.listenTo(heardAgo),

    status(name, incarnation, report) {
      const { run, finding } = statusOf(rolls.find(name), name, incarnation, report)
      if (finding.status !== 'critical') run.subject.heardAt = time.now
      examiner.found(run, finding)
    },

    beat(name) {
      const subject = rolls.find(name)
      if (subject === undefined) return
      subject.heardAt = time.now
      for (const run of subject.runs) if (run.check.type === 'ttl') examiner.found(run, heartbeat)
    },

    why(name) {
      const subject = rolls.find(name)
      return {
        checks: (subject?.runs ?? []).map(standing),
        history: eventsOf(subject?.history, at => days.ofMark(at)),
      }
    },

    close() {
      closing ??= close()
      return closing
    },
  }

  async function close(): Promise<void> {
    stopObserving()
    monitor?.close()
    looks.close()
    time.close()
    await Promise.all(Object.values(probes).map(probe => probe.close()))
  }
}
