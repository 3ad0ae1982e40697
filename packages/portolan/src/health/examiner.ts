import {
  type CheckStep,
  degradedBy,
  formatDuration,
  found,
  type HealthRules,
  isHeld,
  type Milliseconds,
  noWear,
  penalised,
  type Random,
  suspected,
  worn,
} from '@portolan/core'
import type { FairTime } from './fair-time.ts'
import type { Look, Looked, Looks } from './looks.ts'
import { firstTurn, inStep, nextTurn, rulesFor } from './pace.ts'
import type { Finding } from './probes/probe.ts'
import type { Stretching } from './stretching.ts'
import { atRest, type Examining, moreOf, type Run } from './subject.ts'
import { Suspicion } from './suspicion.ts'

export interface ExaminerParts {
  readonly time: FairTime
  readonly looks: Looks
  /** Asked each time: they may change with the configuration. */
  readonly rules: () => HealthRules
  readonly stretching: Stretching
  readonly random: Random
  /** The time of day of a moment in real time. */
  readonly timeOf: (at: Milliseconds) => string
  /** A check took its instance out: one of many, perhaps. */
  readonly onOut: (run: Run, now: Milliseconds) => void
  /** Something was found, or is other than before: the registry may have to know. */
  readonly onFinding: (run: Run, finding: Finding) => void
  readonly note: (run: Run, what: string) => void
}

interface Recheck {
  readonly round: number
  readonly timeoutMs: Milliseconds
  readonly over: () => void
}

/** Whatever the interval, its turn has come. */
const longAgo: Milliseconds = -1e9

/** Of what an instance was known to need, so much is left with each answer that is faster. */
const needDecay = 0.75

/**
 * A program that dies lets go of its connections first and of the port that it listens on last, so that it may answer
 * the re-check of those who saw it fail: whoever was suspected and passed is looked at once more so much later.
 */
const secondLookMs: Milliseconds = 100

/** Carries one check after the other through its life: its turn, the look, what the machine makes of it, the next turn. */
export class Examiner implements Examining {
  readonly #parts: ExaminerParts

  constructor(parts: ExaminerParts) {
    this.#parts = parts
  }

  /** `isNew`: nothing is known of it yet, so it is looked at at once. */
  begin(run: Run, isNew: boolean): void {
    const { time, stretching } = this.#parts
    const { now } = time
    const { check, phase } = run
    stretching.add(run)
    if (check.type === 'ttl') time.plan(run, now + check.intervalMs)
    else time.plan(run, isNew ? now : firstTurn(now, phase, check.intervalMs))
  }

  end(run: Run): void {
    this.#parts.stretching.remove(run)
    this.#parts.time.callOff(run)
    this.#calm(run)
  }

  due(run: Run, now: Milliseconds): void {
    if (run.check.type === 'ttl') {
      this.#silence(run)
      return
    }
    const { stretching, time } = this.#parts
    const waitMs = stretching.waitOf(run, now)
    if (waitMs > 0) time.plan(run, inStep(now + waitMs, stretching.stepOf(run)))
    else this.#look(run)
  }

  /** Brings its turn forward: what spoke for the instance until now does so no more. */
  hasten(run: Run): void {
    if (run.check.type === 'ttl' || run.suspicion !== undefined) return
    run.askedAt = longAgo
    // Not within this call: it may come from a commit of hundreds, whose news must not wait for their probes.
    this.#parts.time.plan(run, this.#parts.time.now)
  }

  /** Somebody, or our own patience, casts doubt on it. */
  doubt(run: Run, why: string): void {
    if (run.check.type === 'ttl') return
    if (run.check.type === 'script') this.hasten(run)
    else this.#follow(run, suspected(run.state, this.#rulesOf(run)), why)
  }

  /** A result: of a look (`round` = of a re-check), or said by the instance itself. */
  found(run: Run, finding: Finding, round?: number): void {
    const { time, onFinding } = this.#parts
    const { now } = time
    const { check } = run
    if (finding.inconclusive === true) {
      this.#missed(run, finding, round)
      return
    }
    this.#keep(run, finding)
    const held = run.more !== undefined && isHeld(run.more.penalty, now)
    const result = { passed: finding.status !== 'critical', round, held }
    const step = found(run.state, result, check.rise, this.#rulesOf(run))
    this.#follow(run, step, finding.reason)
    if (check.type === 'ttl') {
      if (finding.presence !== 'silent') time.plan(run, now + check.intervalMs)
    } else if (round === undefined && run.state.phase !== 'suspect' && step.rechecks !== 'settled') {
      // The end of a suspicion has its own next turn.
      this.#planNext(run, now)
    }
    onFinding(run, finding)
  }

  /** It was we who could not look: that says nothing of the instance, and is made up for. */
  #missed(run: Run, { reason }: Finding, round: number | undefined): void {
    if (round === undefined) {
      if (run.suspicion === undefined) this.#planNext(run, this.#parts.time.now)
    } else if (round === run.state.round) run.suspicion?.again()
    if (run.more?.reason === reason) return
    moreOf(run).reason = reason
    this.#parts.note(run, `no vote: ${reason}`)
  }

  #look(run: Run): void {
    const { subject, check } = run
    if (check.type === 'ttl') return
    const { time, looks, stretching } = this.#parts
    time.callOff(run)
    if (run.look !== undefined) {
      // The last one waits for its turn still, or is under way.
      this.#planNext(run, time.now)
      return
    }
    const { suspectAfterMs } = this.#rulesOf(run)
    run.look = looks.begin(
      {
        target: { instance: subject.instance, check, fresh: run.state.phase !== 'passing' },
        timeoutMs: check.timeoutMs,
        lateAfterMs: suspectAfterMs,
        begins() {
          stretching.asked(run, time.now)
        },
        late: () => this.doubt(run, `no answer within ${formatDuration(suspectAfterMs)} yet`),
        found: finding => {
          run.look = undefined
          this.found(run, finding)
        },
      },
      false,
    )
  }

  #recheck(run: Run, check: Looked, { round, timeoutMs, over }: Recheck): Look {
    return this.#parts.looks.begin(
      {
        target: { instance: run.subject.instance, check, fresh: true },
        timeoutMs,
        ...(timeoutMs === check.timeoutMs ? {} : { timeoutOf: 're-check' }),
        lateAfterMs: Number.POSITIVE_INFINITY,
        begins() {},
        late() {},
        found: finding => {
          over()
          this.found(run, finding, round)
        },
      },
      true,
    )
  }

  #follow(run: Run, step: CheckStep, why: string): void {
    const { time, note, onOut } = this.#parts
    const { check } = run
    run.state = step.state
    if (step.rechecks === 'settled') {
      this.#calm(run)
      if (run.state.phase === 'passing') this.#lookAgain(run)
      else this.#planNext(run, time.now)
    }
    if (run.suspicion === undefined) run.state = atRest(run.state)
    if (step.change === 'out') {
      const more = moreOf(run)
      more.penalty = penalised(more.penalty, time.now)
      note(run, `out: ${why}`)
      onOut(run, time.now)
    } else if (step.change !== undefined && run.subject.history !== undefined) {
      // That all is well from the beginning is no event: 100,000 would have one.
      note(run, step.change === 'in' ? 'in again' : 'passed for the first time')
    }
    if (step.rechecks !== 'start' || check.type === 'ttl') return
    moreOf(run).reason = why
    note(run, `suspect: ${why}`)
    time.callOff(run)
    const { round } = step.state
    run.suspicion = new Suspicion(round, this.#rulesOf(run), time, (of, timeoutMs, over) =>
      this.#recheck(run, check, { round: of, timeoutMs, over }),
    )
    run.suspicion.start()
  }

  #rulesOf({ check, more }: Run): HealthRules {
    return rulesFor(check, this.#parts.rules(), more?.needMs)
  }

  /** Nothing is under way any more. */
  #calm(run: Run): void {
    run.look?.cancel()
    run.look = undefined
    run.suspicion?.end()
    run.suspicion = undefined
  }

  #lookAgain(run: Run): void {
    const { time } = this.#parts
    // No budget puts it off.
    run.askedAt = longAgo
    time.plan(run, time.now + Math.min(secondLookMs, run.check.intervalMs))
  }

  #planNext(run: Run, now: Milliseconds): void {
    const { check, phase } = run
    const { time, random, stretching } = this.#parts
    const { intervalMs } = check
    // How long it has to wait is told when it is sure that it would not come too early.
    if (stretching.isStretched(run)) time.plan(run, now + intervalMs / 2)
    else time.plan(run, nextTurn(now, { phase, intervalMs }, random))
  }

  #silence(run: Run): void {
    const { time, timeOf } = this.#parts
    const isFirst = run.resultAt < 0
    const since = isFirst ? time.real - run.check.intervalMs : run.resultAt
    // The reason is told once, and must stay true. After a restart, the one that is stored knows better since when.
    const stored = isFirst ? run.more?.reason : undefined
    const reason = stored || `it has not reported since ${timeOf(since)}`
    this.found(run, { status: 'critical', presence: 'silent', reason, latencyMs: 0 })
  }

  /** What its answers take, where it matters: most are far from being late, and need no memory of it. */
  #learn(run: Run, latencyMs: Milliseconds): void {
    const { suspectAfterMs, recheckTimeoutMs } = this.#parts.rules()
    if (run.more === undefined && 2 * latencyMs <= Math.min(suspectAfterMs, recheckTimeoutMs)) return
    const more = moreOf(run)
    more.needMs = Math.max(latencyMs, needDecay * more.needMs + (1 - needDecay) * latencyMs)
  }

  #keep(run: Run, finding: Finding): void {
    run.resultAt = this.#parts.time.real
    run.latencyUs = Math.round(finding.latencyMs * 1000)
    const { reason, output, metrics } = finding
    if (finding.status !== 'critical' && run.check.type !== 'script') this.#learn(run, finding.latencyMs)
    const isPlain = reason === '' && output === undefined && metrics === undefined
    const { degraded } = run.check
    if (run.more === undefined && isPlain && degraded === undefined) return
    const more = moreOf(run)
    more.reason = reason
    more.output = output
    more.metrics = metrics
    if (degraded !== undefined || finding.status === 'warning' || more.wear !== noWear) {
      more.wear = worn(more.wear, finding, degraded)
    }
  }
}

/** What lowers the weight of its instance, as this check sees it. */
export function degradationOf({ more, check }: Run): ReturnType<typeof degradedBy> {
  return more === undefined ? undefined : degradedBy(more.wear, check.degraded)
}
