import type { Clock, Milliseconds } from '@portolan/core'
import { judge, type Verdict } from '../cache/lifetime.ts'
import type { ReadAnswer } from '../message/answer-reading.ts'
import type { Question } from '../message/question-writing.ts'
import type { Cancel, Timers } from '../timers.ts'
import { Course, type Step } from './course.ts'
import type { Abandon, Exchange, Outcome, Trouble } from './exchange.ts'
import type { Failure, Upstream } from './upstreams.ts'

/** So many are listened to, the one that is waited for among them: each has a port. */
const mostOpen = 2
/** A timer of ours that fires later than this was kept by our own doings: an answer may lie there unread. */
const lateMs: Milliseconds = 20

export interface Resolved {
  readonly answer: ReadAnswer
  readonly verdict: Verdict
}

export interface ResolutionParts {
  readonly upstreams: readonly Upstream[]
  readonly exchange: Exchange
  readonly clock: Clock
  readonly timers: Timers
  /** Everything together: then there is no answer. */
  readonly timeoutMs: Milliseconds
}

export interface ResolutionEnds {
  /** Once. Undefined: nobody has said anything in time that could be passed on. */
  settle(resolved: Resolved | undefined): void
  /** Nothing of it is open any more. */
  closed(): void
}

interface Attempt {
  readonly upstream: Upstream
  readonly step: Step
  abandon: Abandon
  stopWaiting: Cancel
  dueAt: Milliseconds
  hasFailed: boolean
}

/**
 * Finds one answer: asks one upstream, the next one when that says nothing for a while or will not say, and takes the
 * first good answer of whichever comes. The one that had been asked before is still listened to.
 */
export class Resolution {
  readonly #parts: ResolutionParts
  readonly #question: Question
  readonly #ends: ResolutionEnds
  readonly #course: Course
  readonly #attempts = new Set<Attempt>()
  /** The one that is waited for. */
  #current: Attempt | undefined
  /** Those that answered and would not say: it was their fault if another one does. */
  readonly #refusers: Attempt[] = []
  #giveUp: Cancel
  #isOver = false

  /**
   * Nothing is called back within the call, unless there are no upstreams.
   * @throws whatever `exchange` throws; then nothing is called back at all, and nothing left open
   */
  constructor(parts: ResolutionParts, question: Question, ends: ResolutionEnds) {
    this.#parts = parts
    this.#question = question
    this.#ends = ends
    this.#course = new Course(parts.upstreams.map(({ health }) => health))
    const endsAt = parts.clock.now() + parts.timeoutMs
    this.#giveUp = parts.timers.after(parts.timeoutMs, () => this.#timeIsUp(endsAt))
    try {
      this.#advance()
    } catch (thrown) {
      this.#undo()
      throw thrown
    }
  }

  /** Closes everything; nothing is settled any more. */
  abandon(): void {
    this.#isOver = true
    this.#giveUp()
    for (const attempt of [...this.#attempts]) this.#close(attempt)
  }

  /** Whoever never had us is told of no end. */
  #undo(): void {
    this.#isOver = true
    this.#giveUp()
    const begun = [...this.#attempts]
    this.#attempts.clear()
    for (const attempt of begun) this.#close(attempt)
  }

  #advance(): void {
    for (;;) {
      const step = this.#course.next(this.#parts.clock.now())
      const upstream = step && this.#parts.upstreams[step.upstream]
      if (step === undefined || upstream === undefined) break
      const attempt = this.#begin(upstream, step)
      if (step.trial) continue
      this.#current = attempt
      this.#closeOldest()
      return
    }
    this.#current = undefined
    if (this.#attempts.size === 0) this.#end(undefined)
  }

  #begin(upstream: Upstream, step: Step): Attempt {
    const { exchange, timers, clock } = this.#parts
    upstream.asked++
    const attempt: Attempt = {
      upstream,
      step,
      hasFailed: false,
      dueAt: clock.now() + step.patienceMs,
      abandon: exchange(upstream.address, this.#question, outcome => this.#take(attempt, outcome)),
      stopWaiting: timers.after(step.patienceMs, () => this.#waitedEnough(attempt)),
    }
    this.#attempts.add(attempt)
    return attempt
  }

  #closeOldest(): void {
    const open = [...this.#attempts].filter(({ step }) => !step.trial)
    for (const attempt of open.slice(0, -mostOpen)) this.#close(attempt)
  }

  #waitedEnough(attempt: Attempt): void {
    const { clock, timers } = this.#parts
    const late = clock.now() - attempt.dueAt
    if (late > lateMs) {
      // Once: it is as long again as we have been away, and sockets have their turn.
      attempt.dueAt = Number.POSITIVE_INFINITY
      const again = Math.min(late, attempt.step.patienceMs)
      attempt.stopWaiting = timers.after(again, () => this.#waitedEnough(attempt))
      return
    }
    this.#fail(attempt, 'timeout')
    if (attempt.step.trial) this.#close(attempt)
    this.#goOn(attempt)
  }

  #take(attempt: Attempt, outcome: Outcome): void {
    this.#close(attempt)
    this.#course.done(attempt.step.upstream)
    if ('trouble' in outcome) {
      this.#fail(attempt, outcome.trouble)
      this.#goOn(attempt)
      return
    }
    const verdict = judge(outcome.answer, this.#question.type)
    if (verdict.kind === 'failure' && !this.#isOver) {
      this.#refusers.push(attempt)
      this.#goOn(attempt)
      return
    }
    attempt.upstream.answered(outcome.roundTripMs)
    this.#end({ answer: outcome.answer, verdict })
  }

  #goOn(attempt: Attempt): void {
    if (this.#isOver) return
    if (attempt === this.#current || this.#attempts.size === 0) this.#advance()
  }

  #timeIsUp(endsAt: Milliseconds): void {
    const { clock, timers } = this.#parts
    if (clock.now() - endsAt > lateMs) {
      this.#giveUp = timers.after(lateMs, () => this.#timeIsUp(Number.POSITIVE_INFINITY))
      return
    }
    if (this.#current !== undefined) this.#fail(this.#current, 'timeout')
    this.#end(undefined)
  }

  #end(resolved: Resolved | undefined): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#giveUp()
    if (resolved !== undefined) for (const refuser of this.#refusers) this.#fail(refuser, 'refused')
    this.#ends.settle(resolved)
    if (this.#attempts.size === 0) this.#ends.closed()
    // Whether an upstream is back is still to be found out by those that were asked for that.
    for (const attempt of [...this.#attempts]) if (!attempt.step.trial) this.#close(attempt)
  }

  #close(attempt: Attempt): void {
    attempt.stopWaiting()
    attempt.abandon()
    if (this.#attempts.delete(attempt) && this.#isOver && this.#attempts.size === 0) this.#ends.closed()
  }

  #fail(attempt: Attempt, why: Failure | Trouble): void {
    if (attempt.hasFailed) return
    attempt.hasFailed = true
    attempt.upstream.failed(why, this.#parts.clock.now())
  }
}
