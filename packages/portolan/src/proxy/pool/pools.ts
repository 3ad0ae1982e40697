import type { BreakerSettings, Endpoint, LocalBalancer, Milliseconds, PickContext } from '@portolan/core'
import { type Expiring, noDeadline } from '../deadlines.ts'
import type { PathContext } from '../path-context.ts'
import { Line, type Place } from './line.ts'
import { Pool, type PoolOwner } from './pool.ts'
import { Prewarm } from './prewarm.ts'
import { Wake } from './wake.ts'

/** A request that waits for a connection. */
export interface Waiter {
  readonly context: PickContext | undefined
  /** That endpoint is picked for it, and has room in its pool. */
  granted(endpoint: Endpoint): void
  /** It has waited for as long as it may. */
  waitedTooLong(): void
}

/** How often the policy is asked for an instance with room before all pools are looked through. */
const mostPicks = 8

/**
 * The pools of one service, an instance each, and the line of requests for which none has room. Whatever connection is
 * free first, of any instance that may be picked, goes to the request that has waited longest.
 */
export class Pools implements PoolOwner, Expiring {
  deadline = noDeadline
  readonly #path: PathContext
  readonly #balancer: LocalBalancer
  readonly #pools = new Map<Endpoint, Pool>()
  readonly #line = new Line<Waiter>()
  /** Pools that have had room made since those in line were last looked after. */
  readonly #freed: Pool[] = []
  readonly #prewarm = new Prewarm()
  /** Set while anybody waits, for when the first one in line has waited long enough, or earlier. */
  readonly #wake = new Wake(() => this.#dismissLate())
  /** Connections opened ahead of requests so far. */
  warmed = 0
  #breaker: BreakerSettings
  #idleMs: Milliseconds | undefined

  constructor(path: PathContext, balancer: LocalBalancer, breaker: BreakerSettings) {
    this.#path = path
    this.#balancer = balancer
    this.#breaker = breaker
    path.deadlines.add(this)
  }

  get breaker(): BreakerSettings {
    return this.#breaker
  }

  /** Holds from now on: who waits may have room by it. */
  configure(breaker: BreakerSettings): void {
    this.#breaker = breaker
    this.#serveLine()
    this.#dismissLate()
  }

  /** Keeps idle connections for so long from now on; `undefined`: as the gateway does, 0: not at all. */
  keepIdle(ms: Milliseconds | undefined): void {
    this.#idleMs = ms
    if (ms === 0) for (const pool of this.#pools.values()) pool.dropIdle()
  }

  get idleMs(): Milliseconds {
    return this.#idleMs ?? this.#path.limits.poolIdleMs
  }

  get mostConnections(): number {
    return this.#breaker.connections
  }

  /** Whether requests wait: then whoever comes waits behind them. */
  get hasLine(): boolean {
    return this.#line.size > 0
  }

  /** Requests that wait. */
  get pending(): number {
    return this.#line.size
  }

  /** Connections, busy and idle, of all instances. */
  get open(): number {
    let open = 0
    for (const pool of this.#pools.values()) open += pool.open
    return open
  }

  of(endpoint: Endpoint): Pool {
    let pool = this.#pools.get(endpoint)
    if (pool === undefined) {
      pool = new Pool(this.#path, endpoint, this)
      this.#pools.set(endpoint, pool)
    }
    return pool
  }

  /** A new set: pools of instances that have left are retired, and its instances may have room for who waits. */
  update(endpoints: readonly Endpoint[], hasTraffic: boolean): void {
    const present = new Set(endpoints)
    for (const [endpoint, pool] of this.#pools) {
      if (present.has(endpoint)) {
        if (endpoint.leaving || isOut(endpoint)) pool.dropIdle()
        continue
      }
      pool.retire()
      this.#pools.delete(endpoint)
    }
    this.#prewarm.update(endpoints, hasTraffic)
    if (this.#prewarm.isBusy) this.deadline = 0
    this.#serveLine()
  }

  /** Picks another endpoint, one with room: `undefined` when all that may be picked are full. `full` is picked no more. */
  elsewhere(full: Endpoint, context: PickContext | undefined): Endpoint | undefined {
    const before = context?.tried ?? []
    const tried = [...before, full]
    this.#balancer.cancelled(full)
    for (let turn = 0; turn < mostPicks; turn++) {
      const endpoint = this.#balancer.pick({ ...context, tried })
      if (endpoint === undefined) return undefined
      if (this.of(endpoint).hasRoom && !before.includes(endpoint)) return endpoint
      this.#balancer.cancelled(endpoint)
      if (tried.includes(endpoint)) break
      tried.push(endpoint)
    }
    for (const [endpoint, pool] of this.#pools) {
      if (pool.hasRoom && !before.includes(endpoint) && this.#balancer.claim(endpoint)) return endpoint
    }
    return undefined
  }

  /**
   * A place at the end of the line; `undefined` when too many wait already.
   * @param now by the gateway's clock
   */
  wait(waiter: Waiter, now: Milliseconds): Place<Waiter> | undefined {
    if (this.#line.size >= this.#breaker.pending) return undefined
    this.deadline = 0
    if (!this.#wake.isSet) this.#wake.setIn(this.#breaker.queueTimeoutMs)
    return this.#line.join(waiter, now)
  }

  stopWaiting(place: Place<Waiter>): void {
    this.#line.leave(place)
  }

  /** Due at every sweep while there is something to do. For those that wait, what has changed unnoticed is noticed then. */
  expire(): void {
    this.#serveLine()
    this.#prewarm.turn(this.#warm)
    if (this.#line.size === 0 && !this.#prewarm.isBusy) this.deadline = noDeadline
  }

  freed(pool: Pool): void {
    if (this.#line.size === 0) return
    // Not now: whoever has let go of a connection has not told the balancer yet how that ended.
    if (this.#freed.length === 0) queueMicrotask(this.#serveFreed)
    this.#freed.push(pool)
  }

  close(): void {
    this.#path.deadlines.delete(this)
    this.#wake.clear()
    for (const pool of this.#pools.values()) pool.retire()
    this.#pools.clear()
  }

  readonly #warm = (endpoint: Endpoint, wanted: number): boolean => {
    const warm = this.of(endpoint).warm(wanted)
    if (warm) this.warmed++
    return warm
  }

  #dismissLate(): void {
    const { queueTimeoutMs } = this.#breaker
    const now = this.#path.clock.now()
    for (;;) {
      const late = this.#line.takeOlder(now - queueTimeoutMs)
      if (late === undefined) break
      late.waitedTooLong()
    }
    const { first } = this.#line
    if (first === undefined) this.#wake.clear()
    else this.#wake.setIn(first.since + queueTimeoutMs - now)
  }

  readonly #serveFreed = (): void => {
    for (const pool of this.#freed.splice(0)) {
      for (let first = this.#line.first; first !== undefined; first = this.#line.first) {
        if (!pool.hasRoom || !this.#balancer.claim(pool.endpoint)) break
        this.#grant(first, pool.endpoint)
      }
    }
  }

  #serveLine(): void {
    for (let first = this.#line.first; first !== undefined; first = this.#line.first) {
      const endpoint = this.#find(first.waiter.context)
      if (endpoint === undefined) return
      this.#grant(first, endpoint)
    }
  }

  #find(context: PickContext | undefined): Endpoint | undefined {
    const endpoint = this.#balancer.pick(context)
    if (endpoint === undefined || this.of(endpoint).hasRoom) return endpoint
    return this.elsewhere(endpoint, context)
  }

  #grant(place: Place<Waiter>, endpoint: Endpoint): void {
    this.#line.leave(place)
    place.waiter.granted(endpoint)
  }
}

function isOut({ instance }: Endpoint): boolean {
  return instance.causes.some(({ kind }) => kind === 'operator')
}
