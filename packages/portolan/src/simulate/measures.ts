import type { Milliseconds } from '@portolan/core'
import { Histogram } from './histogram.ts'
import type { Server } from './server.ts'

/** Retries and first attempts of these last seconds. */
const budgetMs: Milliseconds = 10_000
const freeRetries = 10

/** Counts what becomes of requests, once the warm-up is over. */
export class Measures {
  readonly times = new Histogram()
  readonly picks = new Map<Server, number>()
  ok = 0
  failed = 0
  /** Without an answer when the simulation ended: their time so far is among `times`. */
  waiting = 0
  attempts = 0
  /** Answers that came within `goodMs`. */
  good = 0
  readonly #from: Milliseconds
  readonly #goodMs: Milliseconds
  readonly #budget = { from: 0, attempts: 0, retries: 0 }

  constructor(from: Milliseconds, goodMs: Milliseconds) {
    this.#from = from
    this.#goodMs = goodMs
  }

  get requests(): number {
    return this.ok + this.failed + this.waiting
  }

  attempted(now: Milliseconds, isRetry: boolean, server: Server | undefined): void {
    this.#roll(now)
    this.#budget.attempts += 1
    if (isRetry) this.#budget.retries += 1
    if (now < this.#from) return
    this.attempts += 1
    if (server !== undefined) this.picks.set(server, (this.picks.get(server) ?? 0) + 1)
  }

  mayRetry(share: number, now: Milliseconds): boolean {
    this.#roll(now)
    return this.#budget.retries < freeRetries + share * this.#budget.attempts
  }

  ended(from: Milliseconds, now: Milliseconds, how: 'ok' | 'failed' | 'waiting'): void {
    if (from < this.#from) return
    this[how] += 1
    if (how === 'failed') return
    this.times.add(now - from)
    if (how === 'ok' && now - from <= this.#goodMs) this.good += 1
  }

  #roll(now: Milliseconds): void {
    if (now - this.#budget.from < budgetMs) return
    this.#budget.from = now
    this.#budget.attempts = 0
    this.#budget.retries = 0
  }
}
