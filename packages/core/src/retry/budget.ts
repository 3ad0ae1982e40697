import type { Milliseconds } from '../time/clock.ts'

export interface RetryBudgetOptions {
  /** Retries granted per request. Default 0.2: retries add at most a fifth to the load. */
  readonly ratio?: number
  /** Retries granted per second regardless of requests, so that a quiet caller may retry at all. Default 10. */
  readonly reservePerSecond?: number
  /** How long requests and retries count. Default 10,000 ms. */
  readonly windowMs?: Milliseconds
}

const slots = 10

/**
 * Keeps retries from turning a brownout into a storm: a retry spends what requests have earned within the last
 * window. A count of tries per request cannot do that, since it multiplies the load just when everything fails.
 * After Finagle's `RetryBudget` (a leaky token bucket; linkerd's `retryBudget` has the same three numbers). Time is
 * a parameter; the window moves on in tenths.
 */
export class RetryBudget {
  readonly #ratio: number
  readonly #reserve: number
  readonly #slotMs: Milliseconds
  /** Earned minus spent, by tenth of the window. */
  readonly #net = new Float64Array(slots)
  #slot = 0

  constructor(options: RetryBudgetOptions = {}) {
    const windowMs = options.windowMs ?? 10_000
    this.#ratio = options.ratio ?? 0.2
    this.#reserve = (options.reservePerSecond ?? 10) * (windowMs / 1000)
    this.#slotMs = windowMs / slots
  }

  /** Call once for each request, not for its retries. */
  deposit(now: Milliseconds): void {
    this.#add(this.#ratio, now)
  }

  /** Spends one retry; false = there is none left, and the failure has to stand. */
  tryWithdraw(now: Milliseconds): boolean {
    if (this.balance(now) < 1) return false
    this.#add(-1, now)
    return true
  }

  /** How many retries may be made now; whole ones count. */
  balance(now: Milliseconds): number {
    this.#moveTo(now)
    let balance = this.#reserve
    for (const net of this.#net) balance += net
    // Sums of 0.2 miss whole numbers by rounding errors.
    return Math.max(0, Math.round(balance * 1e6) / 1e6)
  }

  #add(amount: number, now: Milliseconds): void {
    this.#moveTo(now)
    const slot = this.#slot % slots
    this.#net[slot] = (this.#net[slot] ?? 0) + amount
  }

  #moveTo(now: Milliseconds): void {
    const slot = Math.floor(now / this.#slotMs)
    for (let steps = 0; this.#slot < slot && steps < slots; steps++) {
      this.#slot += 1
      this.#net[this.#slot % slots] = 0
    }
    if (this.#slot < slot) this.#slot = slot
  }
}
