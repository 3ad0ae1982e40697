import type { Milliseconds } from '@portolan/core'
import { SipHash } from './siphash.ts'

export interface ResponseRateRules {
  /** Answers a second to one client network, on the whole. */
  readonly perSecond: number
  /** How many of them may go out at once. */
  readonly burst: number
  /** Every so manieth that is too many gets TC instead of silence; 0: none does. */
  readonly slip: number
  /** Networks that are told apart, at most: a power of two, at least 4. */
  readonly networks: number
}

export const responseRateDefaults: ResponseRateRules = {
  perSecond: 100,
  burst: 100,
  slip: 2,
  networks: 65_536,
}

const ways = 4
/** How far an answer may be early, in parts of the time between two: rounding must not cost one. */
const grain = 1e-6

/**
 * Response rate limiting (Vixie, Schryver: "DNS Response Rate Limiting", ISC-TN-2012-1): a token bucket for each client
 * network, /24 or /56, in which a victim's address was forged, or was not. One number a bucket, the time at which it is full
 * again (the theoretical arrival time of the generic cell rate algorithm, ITU-T I.371 annex A).
 *
 * The table never grows: a network belongs to one group of four buckets, by a keyed hash, so that nobody can aim at another's.
 * It gets a bucket of its own there as soon as one is full again, since a new one would be no better. Until then it shares
 * the group's fifth with whoever else found none, and takes what that owes along. So no network ever gets more than its
 * limit, and whoever forges all addresses there are takes from others in their groups alone.
 */
export class ResponseRate {
  readonly #hash: SipHash
  readonly #stepMs: number
  readonly #toleranceMs: number
  readonly #slip: number
  readonly #groups: number
  /** Who has a bucket: 31 bits of the hash, and one so that nobody has 0. */
  readonly #tags: Int32Array
  /** Of all buckets, and behind these of those that are shared. */
  readonly #fullAt: Float64Array
  readonly #refused: Uint32Array

  /** @param key 16 bytes that nobody knows */
  constructor({ perSecond, burst, slip, networks }: ResponseRateRules, key: Uint8Array) {
    if (networks < ways || (networks & (networks - 1)) !== 0) {
      throw new RangeError(`networks is a power of two from ${ways} on, not ${networks}`)
    }
    this.#hash = new SipHash(key)
    this.#stepMs = 1000 / perSecond
    this.#toleranceMs = (Math.max(1, burst) - 1 + grain) * this.#stepMs
    this.#slip = slip
    this.#groups = networks / ways
    this.#tags = new Int32Array(networks)
    this.#fullAt = new Float64Array(networks + this.#groups).fill(Number.NEGATIVE_INFINITY)
    this.#refused = new Uint32Array(networks + this.#groups)
  }

  /** What all of it takes, in bytes, from the first day to the last. */
  get bytes(): number {
    return this.#tags.byteLength + this.#fullAt.byteLength + this.#refused.byteLength
  }

  /**
   * Takes one answer of what the client's network may have.
   * @param client the address, 4 or 16 bytes
   */
  take(client: Uint8Array, now: Milliseconds): 'answer' | 'slip' | 'drop' {
    const bucket = this.#bucketOf(client, now)
    const from = Math.max(now, this.#fullAt[bucket] as number)
    if (from - now <= this.#toleranceMs) {
      this.#fullAt[bucket] = from + this.#stepMs
      return 'answer'
    }
    const refused = (this.#refused[bucket] as number) + 1
    const slips = refused === this.#slip
    this.#refused[bucket] = slips ? 0 : refused
    return slips ? 'slip' : 'drop'
  }

  #bucketOf(client: Uint8Array, now: Milliseconds): number {
    this.#hash.hash(client, client.length === 4 ? 3 : Math.min(7, client.length))
    const group = this.#hash.low & (this.#groups - 1)
    const tag = this.#hash.high | 1
    const first = group * ways
    let oldest = first
    for (let bucket = first; bucket < first + ways; bucket++) {
      if (this.#tags[bucket] === tag) return bucket
      if ((this.#fullAt[bucket] as number) < (this.#fullAt[oldest] as number)) oldest = bucket
    }
    const shared = this.#groups * ways + group
    if ((this.#fullAt[oldest] as number) > now) return shared
    this.#tags[oldest] = tag
    this.#fullAt[oldest] = this.#fullAt[shared] as number
    return oldest
  }
}
