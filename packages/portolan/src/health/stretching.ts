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

interface Tally {
  count: number
  fresh: number
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
  #runs = 0
  #loggedAt: Milliseconds | undefined

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
    if (this.#runs++ === 0) this.#parts.time.plan(this, this.#parts.time.now + recomputeMs)
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
      this.#mark(run, false)
      return 0
    }
    const freshFor = this.#heardAt(subject.instance, subject.heardAt, now) + freshMs - now
    this.#mark(run, freshFor > 0)
    const dueIn = run.askedAt + this.#keptOf(check.intervalMs, freshFor > 0) - now
    // The jitter of turns is no reason to wait for another.
    if (dueIn <= check.intervalMs / 2) return 0
    return freshFor > 0 ? Math.min(dueIn, freshFor) : dueIn
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
    this.#isTight = total > Math.min(allowed, rules.maxPerSecond)
    this.#stretch = this.#isTight ? stretchFor(wanted, allowed, rules) : noStretch
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

  #mark(run: Run, isFresh: boolean): void {
    if (run.isFresh === isFresh) return
    run.isFresh = isFresh
    this.#tally(run.check.intervalMs).fresh += isFresh ? 1 : -1
  }

  #tally(intervalMs: Milliseconds): Tally {
    const known = this.#tallies.get(intervalMs)
    if (known !== undefined) return known
    const tally = { count: 0, fresh: 0 }
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
      log.info(
        { event: 'stretched', factor: rounded(factor), wanted: rounded(wanted), allowed: rounded(allowed) },
        `checks run less often where other signs of life are fresh, at least every ${formatDuration(this.#parts.rules().longestMs)}`,
      )
    } else if (this.#loggedAt !== undefined && now - this.#loggedAt >= overAfterMs) {
      this.#loggedAt = undefined
      log.info({ event: 'unstretched' }, 'checks run as often as asked for again')
    }
  }
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
