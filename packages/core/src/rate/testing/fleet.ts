import type { Milliseconds } from '../../time/clock.ts'
import { Dealer } from '../dealer.ts'
import type { RateDemand, RateLimit } from '../limit.ts'
import { SharedBucket, sharedTickMs } from '../shared-bucket.ts'

interface Gateway {
  readonly id: string
  readonly bucket: SharedBucket
  /** When its next tick is due. */
  tickAt: Milliseconds
  /** Of the next request, how much has come. */
  part: number
  admitted: number
  cut: boolean
}

/** Requests a second at each gateway, at a time. */
export type Demand = (index: number, now: Milliseconds) => number

/** Gateways and their registry in virtual time, by the millisecond; messages take `latencyMs`. */
export class Fleet {
  now: Milliseconds = 0
  dealer: Dealer
  readonly gateways: Gateway[] = []
  readonly #limit: RateLimit
  readonly #latencyMs: Milliseconds
  #mail: { readonly at: Milliseconds; readonly deliver: () => void }[] = []
  #dealtAt = Number.NEGATIVE_INFINITY
  #isDue = false
  /** The largest sum of shares that was ever dealt out. */
  mostShared = 0

  constructor(limit: RateLimit, latencyMs: Milliseconds = 3) {
    this.#limit = limit
    this.#latencyMs = latencyMs
    this.dealer = new Dealer(limit, 0)
  }

  join(): Gateway {
    const id = `g${this.gateways.length + 1}`
    const bucket = new SharedBucket(this.#limit, this.now)
    // Not all at the same moment.
    const tickAt = this.now + ((this.gateways.length * 17) % sharedTickMs) + 1
    const gateway = { id, bucket, tickAt, part: 0, admitted: 0, cut: false }
    this.gateways.push(gateway)
    this.#tell(gateway, bucket.tell(this.now))
    return gateway
  }

  /** A registry that knows nothing; the gateways come back to it. */
  restartRegistry(): void {
    this.dealer = new Dealer(this.#limit, this.now)
    for (const gateway of this.gateways) this.#tell(gateway, gateway.bucket.tell(this.now))
  }

  get admitted(): number {
    return this.gateways.reduce((sum, gateway) => sum + gateway.admitted, 0)
  }

  /** What is let pass in so much time. */
  run(ms: Milliseconds, demand: Demand): number {
    const before = this.admitted
    for (const end = this.now + ms; this.now < end; ) {
      this.now += 1
      const due = this.#mail.filter(({ at }) => at <= this.now)
      this.#mail = this.#mail.filter(({ at }) => at > this.now)
      for (const { deliver } of due) deliver()
      this.gateways.forEach((gateway, index) => {
        this.#serve(gateway, demand(index, this.now))
      })
      if (this.now % 1000 === 0) this.#isDue = true
      this.#deal()
    }
    return this.admitted - before
  }

  #serve(gateway: Gateway, perSecond: number): void {
    gateway.part += perSecond / 1000
    for (; gateway.part >= 1; gateway.part--) if (gateway.bucket.tryTake(this.now)) gateway.admitted++
    if (this.now < gateway.tickAt) return
    gateway.tickAt += sharedTickMs
    this.#tell(gateway, gateway.bucket.tick(this.now))
  }

  #tell(gateway: Gateway, demand: RateDemand | undefined): void {
    if (demand === undefined) return
    this.#post(gateway, () => {
      if (this.dealer.hear(gateway.id, demand, this.now)) this.#dealtAt = Number.NEGATIVE_INFINITY
      this.#isDue = true
    })
  }

  #deal(): void {
    if (!this.#isDue || this.now - this.#dealtAt < this.dealer.pauseMs) return
    this.#isDue = false
    this.#dealtAt = this.now
    this.dealer.expire(this.now)
    const dealt = this.dealer.deal(this.now)
    this.mostShared = Math.max(
      this.mostShared,
      dealt.reduce((sum, { share }) => sum + share.qps, 0),
    )
    for (const { id, share } of dealt) {
      const gateway = this.gateways.find(other => other.id === id)
      if (gateway === undefined) continue
      this.#post(gateway, () => this.#tell(gateway, gateway.bucket.receive(share, this.now)))
    }
  }

  #post(gateway: Gateway, deliver: () => void): void {
    if (!gateway.cut) this.#mail.push({ at: this.now + this.#latencyMs, deliver })
  }
}
