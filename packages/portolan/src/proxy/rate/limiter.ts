import {
  KeyedBuckets,
  type Milliseconds,
  type RateLimit,
  type RateLimitSettings,
  TokenBucket,
} from '@portolan/core'
import type { RequestContext } from '../filters/filter.ts'
import { type LimitKey, limitKey } from './limit-key.ts'

/** Lets requests pass at a rate. */
export interface Limiter {
  /** False: it must not pass. */
  tryTake(request: RequestContext, now: Milliseconds): boolean
  /** It has passed here, and is turned away elsewhere. */
  putBack(request: RequestContext): void
  /** How long until one like it may pass. */
  waitMs(request: RequestContext, now: Milliseconds): Milliseconds
}

/** A limiter that goes on when its numbers change. */
export interface AdjustableLimiter extends Limiter {
  configure(limit: RateLimit, now: Milliseconds): void
}

/** So many clients or header values have a bucket of their own. */
const maxKeys = 10_000

/** @returns `undefined` for a `by` that only a newer registry knows: a limit for everybody would be another one */
export function limiterOf(settings: RateLimitSettings, now: Milliseconds): AdjustableLimiter | undefined {
  if (settings.by === undefined) return new PlainLimiter(new TokenBucket(settings, now))
  const key = limitKey(settings.by)
  return key === undefined ? undefined : new KeyedLimiter(new KeyedBuckets(settings, maxKeys), key)
}

class PlainLimiter implements AdjustableLimiter {
  readonly #bucket: TokenBucket

  constructor(bucket: TokenBucket) {
    this.#bucket = bucket
  }

  tryTake(_request: RequestContext, now: Milliseconds): boolean {
    return this.#bucket.tryTake(now)
  }

  putBack(): void {
    this.#bucket.putBack()
  }

  waitMs(_request: RequestContext, now: Milliseconds): Milliseconds {
    return this.#bucket.waitMs(now)
  }

  configure(limit: RateLimit, now: Milliseconds): void {
    this.#bucket.configure(limit, now)
  }
}

class KeyedLimiter implements AdjustableLimiter {
  readonly #buckets: KeyedBuckets
  readonly #key: LimitKey

  constructor(buckets: KeyedBuckets, key: LimitKey) {
    this.#buckets = buckets
    this.#key = key
  }

  tryTake(request: RequestContext, now: Milliseconds): boolean {
    return this.#buckets.tryTake(this.#key(request), now)
  }

  putBack(request: RequestContext): void {
    this.#buckets.putBack(this.#key(request))
  }

  waitMs(request: RequestContext, now: Milliseconds): Milliseconds {
    return this.#buckets.waitMs(this.#key(request), now)
  }

  configure(limit: RateLimit, now: Milliseconds): void {
    this.#buckets.configure(limit, now)
  }
}
