import { isDeepStrictEqual } from 'node:util'
import {
  type AffinitySettings,
  type BalanceSettings,
  type BreakerSettings,
  ConcurrencyLimiter,
  composedPolicy,
  type Endpoint,
  type InstanceOutcomes,
  LocalBalancer,
  type Milliseconds,
  type OutlierSettings,
  type PickingSubscriber,
  type PolicyName,
  type Random,
  type Resolver,
  RetryBudget,
  type ServiceName,
  serviceKey,
  type Unsubscribe,
  type View,
} from '@portolan/core'
import { type KeyOf, keyReader } from './affinity.ts'
import { Mark } from './mark.ts'
import type { ServiceMetrics } from './metrics.ts'
import type { PathContext } from './path-context.ts'
import { Pools } from './pool/pools.ts'
import { ServiceRate } from './rate/service-rate.ts'
import { type Affinity, affinityBy } from './sticky/affinity.ts'
import { newSealKey } from './sticky/seal.ts'

/** A service that had a request so lately has traffic. */
const trafficMs: Milliseconds = 2000

/** Somebody whose request waits until the service's instances are known. */
export interface Waiting {
  resolved(): void
}

export interface ServiceParts {
  readonly resolver: Resolver
  readonly random: Random
  readonly balance: BalanceSettings
  readonly outliers: Partial<OutlierSettings>
  readonly breaker: BreakerSettings
}

/** One service as the gateway serves it: balancer, retry budget, and a pool of connections an instance. */
export class Service implements PickingSubscriber {
  readonly name: ServiceName
  readonly balancer: LocalBalancer
  readonly budget = new RetryBudget()
  /** How many requests may be under way, where that is to be found out. */
  readonly concurrency: ConcurrencyLimiter
  readonly metrics: ServiceMetrics
  mark: Mark
  readonly pools: Pools
  readonly rate: ServiceRate
  /** Requests under way, those that wait among them. */
  underWay = 0
  /** Where requests have keys: how to read them. */
  keyOf: KeyOf | undefined
  /** Where clients stay where they were. */
  affinity: Affinity | undefined
  /** When a request was last routed here, in the time of the deadlines. */
  usedAt: number
  readonly #path: PathContext
  readonly #waiting = new Set<Waiting>()
  readonly #unsubscribe: Unsubscribe
  readonly #resolver: Resolver
  #balance: BalanceSettings
  #known = false
  /** Whether the log's last word is that picks fail open. */
  #isInTrouble = false
  #proven = false
  #stickBy: AffinitySettings | undefined
  #ownSealKey: string | undefined
  readonly #openedAt: Milliseconds
  /** Since when what is not told yet has been counted. */
  #beganAt: Milliseconds

  constructor(
    path: PathContext,
    name: ServiceName,
    { resolver, random, balance, outliers, breaker }: ServiceParts,
  ) {
    this.#path = path
    this.#resolver = resolver
    this.concurrency = new ConcurrencyLimiter(random)
    this.#balance = balance
    this.keyOf = keyReader(balance.hashBy)
    this.name = name
    this.mark = new Mark(path.gateway, name)
    this.metrics = path.metrics.of(serviceKey(name))
    this.balancer = new LocalBalancer({
      policy: composedPolicy(balance, path.settings),
      random,
      clock: path.clock,
      outliers,
      suspect: outcomes => this.report([outcomes]),
      onIdle: ({ id }) => resolver.idle({ ...name, id }),
    })
    this.metrics.balance = this.balancer
    this.pools = new Pools(path, this.balancer, breaker)
    this.metrics.load = this
    this.rate = new ServiceRate({ service: name, resolver, clock: path.clock, ticks: path.ticks })
    this.metrics.rate = this.rate
    this.#beganAt = path.clock.now()
    this.#openedAt = path.deadlines.now
    this.usedAt = this.#openedAt
    this.#unsubscribe = resolver.subscribe(name, this)
  }

  /** Balances otherwise from the next pick on, where it is otherwise. */
  balanceBy(balance: BalanceSettings): void {
    this.keyOf = keyReader(balance.hashBy)
    const same = isDeepStrictEqual({ ...balance, hashBy: undefined }, { ...this.#balance, hashBy: undefined })
    this.#balance = balance
    if (same) return
    this.balancer.usePolicy(composedPolicy(balance, this.#path.settings))
  }

  /** Puts this pseudonym on requests from the next one on; `undefined`: the usual one. */
  markBy(via: string | undefined): void {
    this.mark = new Mark(this.#path.gateway, this.name, via)
  }

  /** Holds clients so from the next request on; `undefined`: not at all. */
  stick(settings: AffinitySettings | undefined): void {
    if (isDeepStrictEqual(settings, this.#stickBy)) return
    this.#stickBy = settings
    this.affinity = undefined
    if (settings === undefined) return
    this.#ownSealKey ??= newSealKey()
    this.affinity = affinityBy(settings, this.#ownSealKey, this.metrics.stays)
    this.affinity?.update(this.balancer.endpoints)
  }

  get policy(): PolicyName {
    return this.#balance.policy ?? this.#path.settings.policy
  }

  /** Whether anybody has told anything about this service yet. */
  get isKnown(): boolean {
    return this.#known
  }

  /** Whether it exists, for all that is known: it has had an instance, or the configuration names it. */
  get isProven(): boolean {
    return this.#proven
  }

  get hasInstances(): boolean {
    return this.balancer.endpoints.length > 0
  }

  prove(): void {
    if (this.#proven) return
    this.#proven = true
    this.#path.metrics.show(serviceKey(this.name))
  }

  get #hasTraffic(): boolean {
    return this.underWay > 0 || this.usedAt > Math.max(this.#openedAt, this.#path.deadlines.now - trafficMs)
  }

  /** Whether nothing waits for it and no connection is open. */
  get isIdle(): boolean {
    return this.underWay === 0 && this.#waiting.size === 0 && this.pools.open === 0
  }

  /** Takes a new instance set: new picks go by it at once, and pools of instances that have left are retired. */
  receive(view: View): void {
    // An empty epoch is the view before any registry has spoken: no reason yet to turn anybody away.
    if (view.set.cursor.epoch === '' && view.set.instances.length === 0) return
    this.balancer.update(view.set)
    this.affinity?.update(this.balancer.endpoints)
    this.#known = true
    if (this.hasInstances) this.prove()
    this.notePanic()
    this.pools.update(this.balancer.endpoints, this.#hasTraffic)
    for (const waiting of this.#waiting) waiting.resolved()
    this.#waiting.clear()
  }

  /** Says, once each time, that picks begin to fail open, or do so no more. */
  notePanic(): void {
    const { panic, endpoints } = this.balancer
    this.metrics.panic = panic
    const isTrouble = panic && !endpoints.every(isUntested)
    if (isTrouble === this.#isInTrouble) return
    this.#isInTrouble = isTrouble
    const about = { event: isTrouble ? 'panic' : 'panic-over', service: serviceKey(this.name) }
    if (!isTrouble) this.#path.log.info(about, 'some instance is well again: picks leave out the others')
    else {
      this.#path.log.warn(
        { ...about, instances: endpoints.length },
        'every instance carries a cause: picks go to those that are least bad',
      )
    }
  }

  /** Tells the registry what requests found; dropped while there is none. */
  report(outcomes: readonly InstanceOutcomes[], cpuMs?: Milliseconds): void {
    const overMs = this.#path.clock.now() - this.#beganAt
    this.#resolver.report(this.name, { overMs, outcomes, ...(cpuMs === undefined ? {} : { cpuMs }) })
  }

  /** What is counted from now on belongs to the next report. */
  beginReport(): void {
    this.#beganAt = this.#path.clock.now()
  }

  inFlight(instance: { readonly id: string; readonly incarnation: number }): number {
    return this.balancer.inFlight(instance)
  }

  /** One more request is under way, until it is counted out of `underWay`. False: it is one too many. */
  enter(): boolean {
    this.usedAt = this.#path.deadlines.now
    this.underWay += 1
    const { requests } = this.pools.breaker
    if (requests === 0 || this.underWay <= requests) return true
    this.metrics.struck.requests++
    return false
  }

  /** False: too many wait already. */
  wait(waiting: Waiting): boolean {
    if (this.#waiting.size >= this.#path.settings.maxUnresolved) return false
    this.#waiting.add(waiting)
    return true
  }

  stopWaiting(waiting: Waiting): void {
    this.#waiting.delete(waiting)
  }

  close(): void {
    this.#unsubscribe()
    this.pools.close()
    this.rate.close()
  }
}

/** Whether nothing is known of an instance but that its checks are still to pass: it has just been added. */
function isUntested({ instance, weight }: Endpoint): boolean {
  return weight === 0 || instance.causes.every(({ kind }) => kind === 'starting' || kind === 'operator')
}
