import type { Milliseconds } from '../time/clock.ts'
import type { RateLimit } from './limit.ts'

/** Counted from a new origin after so many: sums stay so small that doubles keep them to a millionth of a token. */
const countAtMost = 2 ** 32

/**
 * The token bucket (Turner, IEEE Communications 24(10), 1986): holds up to `burst` tokens, gets `qps` a second, and
 * a request takes one. Over any time t it lets pass at most burst + qps × t.
 *
 * It keeps an origin and what was taken since, instead of adding a little at each request: rounding does not add up, however
 * long it runs. Time is a parameter and must not go back.
 */
export class TokenBucket {
  #perMs: number
  #capacity: number
  /** What there was at the origin. */
  #held: number
  #origin: Milliseconds
  #taken = 0

  /** @param tokens what it starts with; default: full */
  constructor({ qps, burst }: RateLimit, now: Milliseconds, tokens = Number.POSITIVE_INFINITY) {
    this.#perMs = qps / 1000
    this.#capacity = Math.max(1, burst)
    this.#held = Math.min(tokens, this.#capacity)
    this.#origin = now
  }

  /** What it holds when it is full. */
  get capacity(): number {
    return this.#capacity
  }

  /** How many there are: a fraction, where the next is not complete; negative: it owes. */
  tokens(now: Milliseconds): number {
    return Math.min(this.#capacity, this.#level(now))
  }

  /** Takes `n`, or nothing. */
  tryTake(now: Milliseconds, n = 1): boolean {
    let level = this.#level(now)
    if (level >= this.#capacity || this.#taken >= countAtMost) {
      level = Math.min(level, this.#capacity)
      this.#startFrom(now, level)
    }
    if (level < n) return false
    this.#taken += n
    return true
  }

  /** Puts back what a `tryTake` took in vain. */
  putBack(n = 1): void {
    this.#taken -= n
  }

  /** How long until there are `n`; 0 = they are there. Infinite: never. */
  waitMs(now: Milliseconds, n = 1): Milliseconds {
    const missing = n - this.tokens(now)
    if (missing <= 0) return 0
    return n > this.#capacity || this.#perMs === 0 ? Number.POSITIVE_INFINITY : missing / this.#perMs
  }

  /** Goes on with another limit and what there is; returns what does not fit into the new one. */
  configure({ qps, burst }: RateLimit, now: Milliseconds): number {
    const level = this.tokens(now)
    this.#perMs = qps / 1000
    this.#capacity = Math.max(1, burst)
    this.#startFrom(now, Math.min(level, this.#capacity))
    return Math.max(0, level - this.#capacity)
  }

  /** Adds tokens (takes some away, where negative), as far as they fit. */
  add(tokens: number, now: Milliseconds): void {
    this.#startFrom(now, Math.min(this.tokens(now) + tokens, this.#capacity))
  }

  #level(now: Milliseconds): number {
    return this.#held + (now - this.#origin) * this.#perMs - this.#taken
  }

  #startFrom(now: Milliseconds, held: number): void {
    this.#held = held
    this.#origin = now
    this.#taken = 0
  }
}
