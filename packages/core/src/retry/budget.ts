import type { Milliseconds } from '../time/clock.ts'

/** How many retries a caller may make. */
export interface RetryBudgetOptions {
  /** Retries granted per request. Default 0.2: retries add at most a fifth to the load. */
  readonly ratio?: number
  /** Retries granted per second where the requests have earned fewer, so that a quiet caller may retry at all. Default 10. */
  readonly reservePerSecond?: number
  /** How long requests and retries count. Default 10,000 ms. */
  readonly windowMs?: Milliseconds
}

const slots = 10

/**
 * Keeps retries from turning a brownout into a storm: a retry spends what requests have earned within the last
 * window. A count of tries per request cannot do that, since it multiplies the load just when everything fails.
 * After Finagle's `RetryBudget` and linkerd's `retryBudget`, with the same three numbers; but the reserve is a floor, as in
 * Envoy's `retry_budget`, and comes not on top: whatever the load, it grows by no more than the ratio says. Time is a
 * parameter; the window moves on in tenths.
 */
export class RetryBudget {
  #ratio = 0
  #reserve = 0
  readonly #windowMs: Milliseconds
  readonly #slotMs: Milliseconds
  /** By tenth of the window: requests, and what was spent on their retries. */
  readonly #requests = new Float64Array(slots)
  readonly #spent = new Float64Array(slots)
  #slot = 0

  constructor(options: RetryBudgetOptions = {}) {
    this.#windowMs = options.windowMs ?? 10_000
    this.#slotMs = this.#windowMs / slots
    this.configure(options)
  }

  /** Holds from now on, for what is in the window too. */
  configure({ ratio = 0.2, reservePerSecond = 10 }: Omit<RetryBudgetOptions, 'windowMs'>): void {
    this.#ratio = ratio
    this.#reserve = reservePerSecond * (this.#windowMs / 1000)
  }

  /** Call once for each request, not for its retries. */
  deposit(now: Milliseconds): void {
    this.#moveTo(now)
    const slot = this.#slot % slots
    this.#requests[slot] = (this.#requests[slot] ?? 0) + 1
  }

  /** Spends one retry; false = there is none left, and the failure has to stand. */
  tryWithdraw(now: Milliseconds): boolean {
    if (this.balance(now) < 1) return false
    const slot = this.#slot % slots
    this.#spent[slot] = (this.#spent[slot] ?? 0) + 1
    return true
  }

  /** How many retries may be made now; whole ones count. */
  balance(now: Milliseconds): number {
    this.#moveTo(now)
    let requests = 0
    let spent = 0
    for (const count of this.#requests) requests += count
    for (const count of this.#spent) spent += count
    const balance = Math.max(this.#reserve, requests * this.#ratio) - spent
    // Products with 0.2 miss whole numbers by rounding errors.
    return Math.max(0, Math.round(balance * 1e6) / 1e6)
  }

  #moveTo(now: Milliseconds): void {
    const slot = Math.floor(now / this.#slotMs)
    for (let steps = 0; this.#slot < slot && steps < slots; steps++) {
      this.#slot += 1
      this.#requests[this.#slot % slots] = 0
      this.#spent[this.#slot % slots] = 0
    }
    if (this.#slot < slot) this.#slot = slot
  }
}
