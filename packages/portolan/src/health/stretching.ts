import {
  allowedPerSecond,
  type BudgetRules,
  formatDuration,
  type InstanceName,
  type Milliseconds,
  noStretch,
  type OutcomeReport,
  type Stretch,
  stretchedInterval,
  stretchFor,
  type Wanted,
} from '@portolan/core'
import type { Log } from '../observe/log.ts'
import type { FairTime } from './fair-time.ts'
import type { HeardAgo } from './health.ts'
import { stepOf, stretchedStep } from './pace.ts'
import { Round } from './round.ts'
import type { Run } from './subject.ts'
import type { Timed } from './wheel.ts'

export interface StretchingParts {
  readonly time: FairTime
  /** Asked each time: they may change with the configuration. */
  readonly rules: () => BudgetRules
  readonly log: Log
}

/** A sign of life is fresh for so long. */
export const freshMs: Milliseconds = 2000

const recomputeMs: Milliseconds = 1000
/** The rate of the business is the mean over so many seconds. */
const windowSeconds = 10
/** It has ended when it has not been needed for so long. */
const overAfterMs: Milliseconds = 10_000
/** Who runs at the limit is told once in so long, and not each time that it is crossed. */
const repeatMs: Milliseconds = 600_000

interface Tally {
  count: number
  fresh: number
  /** Where the fresh have their turns, and where the others. */
  readonly turns: { readonly fresh: Round; readonly others: Round }
}

/**
 * Keeps the checks within their budget: a common factor makes intervals longer where something else has just spoken
 * well of the instance. A stretched check still wakes as soon as that may have become stale, and is then due at once.
 */
export class Stretching implements Timed {
  at: Milliseconds = 0
  previous: Timed | undefined = undefined
  next: Timed | undefined = undefined
  readonly #parts: StretchingParts
  /** By interval. */
  readonly #tallies = new Map<Milliseconds, Tally>()
  readonly #business: { requests: number; cpuMs: number }[] = [{ requests: 0, cpuMs: 0 }]
  #heardAgo: HeardAgo = () => undefined
  #stretch: Stretch = noStretch
  /** More is wanted than the business pays for: it matters who is fresh. */
  #isTight = false
  /** Checks a second, as reckoned last. */
  #allowed = Number.POSITIVE_INFINITY
  #runs = 0
  #loggedAt: Milliseconds | undefined
  /** When its beginning was told, loud enough for the log of a server that nobody has asked for details. */
  #warnedAt: Milliseconds = -repeatMs
  #level: 'warn' | 'info' = 'warn'

  constructor(parts: StretchingParts) {
    this.#parts = parts
  }

  get stretch(): Stretch {
    return this.#stretch
  }

  listenTo(heardAgo: HeardAgo): void {
    this.#heardAgo = heardAgo
  }

  add({ check }: Run): void {
    if (check.type === 'ttl') return
    this.#tally(check.intervalMs).count++
    // After a restart all come within one moment: reckoned with before they run.
    if (this.#runs++ === 0) this.#parts.time.plan(this, this.#parts.time.now)
  }

  remove(run: Run): void {
    const { check } = run
    if (check.type === 'ttl') return
    const tally = this.#tally(check.intervalMs)
    tally.count--
    if (run.isFresh) tally.fresh--
    run.isFresh = false
    if (tally.count === 0) this.#tallies.delete(check.intervalMs)
    this.#runs--
  }

  /** What consumers' requests cost. */
  counted({ outcomes, cpuMs = 0 }: OutcomeReport): void {
    const second = this.#business[this.#business.length - 1]
    if (second === undefined) return
    for (const { ok, failed } of outcomes) second.requests += ok + failed
    second.cpuMs += cpuMs
  }

  /** How long a check whose turn has come has to wait still. */
  waitOf(run: Run, now: Milliseconds): Milliseconds {
    const { check, state, subject } = run
    if (!this.#isTight || state.phase !== 'passing') {
      this.#mark(run, false, now)
      return 0
    }
    const freshFor = this.#heardAt(subject.instance, subject.heardAt, now) + freshMs - now
    const isFresh = freshFor > 0
    this.#mark(run, isFresh, now)
    const round = this.#roundOf(run)
    const longest = isFresh ? Math.max(check.intervalMs, this.#parts.rules().longestMs) : check.intervalMs
    const left = run.askedAt + longest * this.#stretch.all - now
    // The jitter of turns is no reason to wait for another.
    if (round.keptMs <= check.intervalMs && left <= check.intervalMs / 2) return 0
    if (round.turnOf(run.phase, now) !== run.turn) return 0
    const dueIn = Math.max(0, Math.min(left, round.untilTurn(run.phase, now)))
    return isFresh ? Math.min(dueIn, freshFor) : dueIn
  }

  /** It is asked now. */
  asked(run: Run, now: Milliseconds): void {
    run.askedAt = now
    run.turn = this.#roundOf(run).turnOf(run.phase, now)
  }

  /** Whether its turns are further apart than it asked for, and so are not those of its interval. */
  isStretched(run: Run): boolean {
    return this.keptOf(run) > run.check.intervalMs
  }

  /** Its waits end on whole steps of so much. */
  stepOf({ check, isFresh }: Run): Milliseconds {
    return isFresh ? stretchedStep(check.intervalMs, this.#allowed) : stepOf(check.intervalMs)
  }

  /** The interval that is kept at the moment. */
  keptOf(run: Run): Milliseconds {
    const { check, state } = run
    const isStretched = this.#isTight && state.phase === 'passing' && check.type !== 'ttl'
    return isStretched ? this.#keptOf(check.intervalMs, run.isFresh) : check.intervalMs
  }

  ring(now: Milliseconds): void {
    const { time } = this.#parts
    const rules = this.#parts.rules()
    const wanted = [...this.#tallies].map(([intervalMs, tally]): Wanted => ({ intervalMs, ...tally }))
    const allowed = allowedPerSecond(this.#rate(), rules)
    const total = wanted.reduce((sum, { intervalMs, count }) => sum + (count * 1000) / intervalMs, 0)
    this.#allowed = allowed
    this.#isTight = total > Math.min(allowed, rules.maxPerSecond)
    this.#stretch = this.#isTight ? stretchFor(wanted, allowed, rules) : noStretch
    for (const [intervalMs, { turns }] of this.#tallies) {
      turns.fresh.keep(this.#keptOf(intervalMs, true), now)
      turns.others.keep(this.#keptOf(intervalMs, false), now)
    }
    this.#business.push({ requests: 0, cpuMs: 0 })
    if (this.#business.length > windowSeconds) this.#business.shift()
    this.#say(now, total, allowed)
    if (this.#runs > 0) time.plan(this, now + recomputeMs)
  }

  /** Of the seconds that are over. */
  #rate(): { requests: number; cpuMs: number | undefined } {
    const seconds = this.#business.length
    const requests = this.#business.reduce((sum, second) => sum + second.requests, 0) / seconds
    const cpuMs = this.#business.reduce((sum, second) => sum + second.cpuMs, 0) / seconds
    return { requests, cpuMs: cpuMs === 0 ? undefined : cpuMs }
  }

  #keptOf(intervalMs: Milliseconds, isFresh: boolean): Milliseconds {
    return stretchedInterval(intervalMs, isFresh, this.#stretch, this.#parts.rules())
  }

  #heardAt(name: InstanceName, reportedAt: Milliseconds, now: Milliseconds): Milliseconds {
    const ago = this.#heardAgo(name)
    const heardAt = ago === undefined ? -freshMs : now - ago
    return reportedAt < 0 ? heardAt : Math.max(heardAt, reportedAt)
  }

  #mark(run: Run, isFresh: boolean, now: Milliseconds): void {
    if (run.isFresh === isFresh) return
    run.isFresh = isFresh
    this.#tally(run.check.intervalMs).fresh += isFresh ? 1 : -1
    run.turn = this.#roundOf(run).turnOf(run.phase, now)
  }

  #roundOf({ check, isFresh }: Run): Round {
    const { turns } = this.#tally(check.intervalMs)
    return isFresh ? turns.fresh : turns.others
  }

  #tally(intervalMs: Milliseconds): Tally {
    const known = this.#tallies.get(intervalMs)
    if (known !== undefined) return known
    const { now } = this.#parts.time
    const turns = {
      fresh: new Round(this.#keptOf(intervalMs, true), now),
      others: new Round(this.#keptOf(intervalMs, false), now),
    }
    const tally = { count: 0, fresh: 0, turns }
    this.#tallies.set(intervalMs, tally)
    return tally
  }

  #say(now: Milliseconds, wanted: number, allowed: number): void {
    const { log } = this.#parts
    const factor = this.#stretch.fresh * this.#stretch.all
    const isSaid = this.#loggedAt !== undefined
    if (factor > 1) {
      this.#loggedAt = now
      if (isSaid) return
      this.#level = now - this.#warnedAt >= repeatMs ? 'warn' : 'info'
      if (this.#level === 'warn') this.#warnedAt = now
      const most = formatDuration(this.#parts.rules().longestMs)
      const why =
        this.#stretch.all > 1
          ? 'all checks run less often than asked for: there are more than health.maxPerSecond, or than is good within seconds of a start'
          : `checks run less often than asked for where other signs of life are fresh, at least every ${most}: health.budget and health.freePerSecond allow no more`
      log[this.#level](
        { event: 'stretched', factor: rounded(factor), wanted: rounded(wanted), allowed: rounded(allowed) },
        why,
      )
    } else if (this.#loggedAt !== undefined && now - this.#loggedAt >= overAfterMs) {
      this.#loggedAt = undefined
      log[this.#level]({ event: 'unstretched' }, 'checks run as often as asked for again')
    }
  }
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
