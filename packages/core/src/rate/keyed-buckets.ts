import type { Milliseconds } from '../time/clock.ts'
import type { RateLimit } from './limit.ts'

/** How far a request may be early, in parts of the time between two: rounding must not cost one. */
const grain = 1e-6

/**
 * A token bucket for each key, for at most `maxKeys` of them: one number a bucket, the time at which it is full again (the
 * theoretical arrival time of the generic cell rate algorithm, ITU-T I.371 annex A).
 *
 * A key is forgotten, the least recently used first, only when its bucket is full again: a new one is no better. When there
 * is none to forget, keys that are not known share one bucket. So no key ever gets more than its limit, whoever invents how
 * many, and what many of them get together is bounded.
 */
export class KeyedBuckets {
  readonly #maxKeys: number
  readonly #slots = new Map<string, number>()
  readonly #keys: string[] = []
  readonly #fullAt: Float64Array
  /** A ring of slots, the most recently used first after the root, which is slot `maxKeys`; `maxKeys + 1` is the shared one. */
  readonly #next: Int32Array
  readonly #previous: Int32Array
  #stepMs = 0
  #toleranceMs = 0

  constructor(limit: RateLimit, maxKeys: number) {
    this.#maxKeys = maxKeys
    this.#fullAt = new Float64Array(maxKeys + 2).fill(Number.NEGATIVE_INFINITY)
    this.#next = new Int32Array(maxKeys + 1).fill(maxKeys)
    this.#previous = new Int32Array(maxKeys + 1).fill(maxKeys)
    this.#setLimit(limit)
  }

  /** Keys that have a bucket of their own. */
  get size(): number {
    return this.#keys.length
  }

  tryTake(key: string, now: Milliseconds): boolean {
    const slot = this.#slotFor(key, now)
    const from = Math.max(now, this.#fullAt[slot] as number)
    if (from - now > this.#toleranceMs) return false
    this.#fullAt[slot] = from + this.#stepMs
    return true
  }

  /** Puts back what a `tryTake` took in vain. */
  putBack(key: string): void {
    const slot = this.#slots.get(key) ?? this.#shared
    this.#fullAt[slot] = (this.#fullAt[slot] as number) - this.#stepMs
  }

  /** How long until the key's next; 0 = it is there. */
  waitMs(key: string, now: Milliseconds): Milliseconds {
    const slot = this.#slots.get(key) ?? this.#shared
    return Math.max(0, (this.#fullAt[slot] as number) - now - this.#toleranceMs)
  }

  /** Goes on with another limit; what was taken stays taken. */
  configure(limit: RateLimit, now: Milliseconds): void {
    const before = this.#stepMs
    this.#setLimit(limit)
    const scale = this.#stepMs / before
    if (scale === 1) return
    for (let slot = 0; slot < this.#fullAt.length; slot++) {
      const owed = (this.#fullAt[slot] as number) - now
      if (owed > 0) this.#fullAt[slot] = now + owed * scale
    }
  }

  get #shared(): number {
    return this.#maxKeys + 1
  }

  #setLimit({ qps, burst }: RateLimit): void {
    this.#stepMs = 1000 / qps
    this.#toleranceMs = (Math.max(1, burst) - 1 + grain) * this.#stepMs
  }

  #slotFor(key: string, now: Milliseconds): number {
    const known = this.#slots.get(key)
    if (known !== undefined) {
      this.#unlink(known)
      this.#linkFirst(known)
      return known
    }
    let slot = this.#keys.length
    if (slot >= this.#maxKeys) {
      slot = this.#previous[this.#maxKeys] as number
      if (slot === this.#maxKeys || (this.#fullAt[slot] as number) > now) return this.#shared
      this.#slots.delete(this.#keys[slot] as string)
      this.#unlink(slot)
    }
    this.#keys[slot] = key
    this.#slots.set(key, slot)
    this.#fullAt[slot] = Number.NEGATIVE_INFINITY
    this.#linkFirst(slot)
    return slot
  }

  #unlink(slot: number): void {
    const next = this.#next[slot] as number
    const previous = this.#previous[slot] as number
    this.#next[previous] = next
    this.#previous[next] = previous
  }

  #linkFirst(slot: number): void {
    const root = this.#maxKeys
    const first = this.#next[root] as number
    this.#next[root] = slot
    this.#previous[slot] = root
    this.#next[slot] = first
    this.#previous[first] = slot
  }
}
