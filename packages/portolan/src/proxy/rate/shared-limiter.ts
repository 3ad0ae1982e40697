import {
  type Clock,
  type Milliseconds,
  type RateClaim,
  type RateDemand,
  type RateLimit,
  type Resolver,
  type ServiceName,
  SharedBucket,
} from '@portolan/core'
import type { RequestContext } from '../filters/filter.ts'
import type { AdjustableLimiter } from './limiter.ts'
import type { Ticking, Ticks } from './ticks.ts'

export interface SharedLimiterParts {
  readonly service: ServiceName
  readonly resolver: Resolver
  readonly clock: Clock
  readonly ticks: Ticks
}

/** This gateway's share of its service's limit: the registry deals it out by what each gateway says it is asked for. */
export class SharedLimiter implements AdjustableLimiter, Ticking {
  readonly #bucket: SharedBucket
  readonly #clock: Clock
  readonly #ticks: Ticks
  readonly #claim: RateClaim

  constructor({ service, resolver, clock, ticks }: SharedLimiterParts, limit: RateLimit) {
    this.#clock = clock
    this.#ticks = ticks
    this.#bucket = new SharedBucket(limit, clock.now())
    this.#claim = resolver.claim(service, {
      demand: () => this.#bucket.tell(clock.now()),
      receive: share => this.#tell(this.#bucket.receive(share, clock.now())),
    })
    ticks.add(this)
  }

  /** Requests a second that this gateway may let pass at present. */
  get qps(): number {
    return this.#bucket.qps
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

  tick(): void {
    this.#tell(this.#bucket.tick(this.#clock.now()))
  }

  close(): void {
    this.#ticks.delete(this)
    this.#claim.end()
  }

  #tell(demand: RateDemand | undefined): void {
    if (demand !== undefined) this.#claim.tell(demand)
  }
}
