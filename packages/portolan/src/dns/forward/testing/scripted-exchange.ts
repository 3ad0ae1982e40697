import type { HostPort, Milliseconds } from '@portolan/core'
import type { Question } from '../message/question-writing.ts'
import type { Exchange, Outcome, Trouble } from '../upstream/exchange.ts'
import { answerSaying, type Saying } from './answers.ts'

export class ScriptedAttempt {
  readonly upstream: HostPort
  readonly question: Question
  readonly #settle: (outcome: Outcome) => void
  isOpen = true

  constructor(upstream: HostPort, question: Question, settle: (outcome: Outcome) => void) {
    this.upstream = upstream
    this.question = question
    this.#settle = settle
  }

  say(saying: Saying, roundTripMs: Milliseconds = 10): void {
    this.#settle({ answer: answerSaying(this.question.bytes, saying), roundTripMs })
  }

  fail(trouble: Trouble): void {
    this.#settle({ trouble })
  }
}

/** Upstreams that say nothing but what a test has them say. */
export class ScriptedExchange {
  readonly attempts: ScriptedAttempt[] = []

  readonly exchange: Exchange = (upstream, question, settle) => {
    const attempt = new ScriptedAttempt(upstream, question, outcome => {
      if (attempt.isOpen) settle(outcome)
    })
    this.attempts.push(attempt)
    return () => {
      attempt.isOpen = false
    }
  }

  get last(): ScriptedAttempt {
    const last = this.attempts.at(-1)
    if (last === undefined) throw new Error('nobody was asked')
    return last
  }

  get open(): readonly ScriptedAttempt[] {
    return this.attempts.filter(({ isOpen }) => isOpen)
  }
}
