import {
  type AffinitySettings,
  type BalanceSettings,
  type BreakerSettings,
  isPolicyName,
  type Milliseconds,
  type OutlierSettings,
  type PolicyName,
  type Random,
  type RateLimitSettings,
  type Resolver,
  type RetryBudgetOptions,
  type RouteTable,
  type ServiceName,
  serviceKey,
} from '@portolan/core'
import type { Expiring } from './deadlines.ts'
import type { PathContext } from './path-context.ts'
import { Service } from './service.ts'

type Policies = NonNullable<RouteTable['policies']>
type Spreadings = NonNullable<RouteTable['balance']>
type Outliers = NonNullable<RouteTable['outliers']>
type Breakers = NonNullable<RouteTable['breakers']>
type Rates = NonNullable<RouteTable['rateLimits']>
type Affinities = NonNullable<RouteTable['affinity']>

/** Services that only a Host named are forgotten after this long without a request, */
const forgetAfterMs = 300_000
/** and after this long those that have never had an instance: their names may be invented. */
const forgetUnprovenAfterMs = 10_000
/** So many services may be known by Host alone: anybody can invent names. */
export const maxByHost = 4096
const forgetEveryMs = 10_000

/** The services that this gateway serves, subscribed to when a route or a request first names them. */
export class Services implements Expiring {
  deadline: number
  readonly #path: PathContext
  readonly #resolver: Resolver
  readonly #random: Random
  readonly #services = new Map<string, Service>()
  #configured = new Set<string>()
  #exposed = new Set<string>()
  #policies: Policies = {}
  #spreadings: Spreadings = {}
  #outliers: Outliers = {}
  #breakers: Breakers = {}
  #retries: NonNullable<RouteTable['retries']> = {}
  #rates: Rates = {}
  #affinities: Affinities = {}
  #poolIdle: NonNullable<RouteTable['poolIdle']> = {}
  #via: string | undefined

  constructor(path: PathContext, resolver: Resolver, random: Random) {
    this.#path = path
    this.#resolver = resolver
    this.#random = random
    this.deadline = path.deadlines.now + forgetEveryMs
    path.deadlines.add(this)
  }

  expire(): void {
    this.deadline = this.#path.deadlines.now + forgetEveryMs
    this.#forget(this.#isUnused)
  }

  /** The service of that name; `undefined` when too many are known already. */
  get(name: ServiceName): Service | undefined {
    const key = serviceKey(name)
    const known = this.#services.get(key)
    if (known !== undefined) return known
    // Names without instances go first: who invents names must not keep those out that exist.
    if (this.#isFull) this.#forget(service => !service.hasInstances)
    if (this.#isFull) return undefined
    const service = new Service(this.#path, name, {
      resolver: this.#resolver,
      random: this.#random,
      balance: this.#balanceOf(key),
      outliers: this.#outliersOf(key),
      breaker: this.#breakerOf(key),
    })
    service.rate.configure(this.#rateOf(key))
    service.budget.configure(this.#budgetOf(key))
    service.pools.keepIdle(this.#idleOf(key))
    service.stick(this.#affinityOf(key))
    service.markBy(this.#via)
    this.#services.set(key, service)
    if (this.#isNamed(key)) service.prove()
    return service
  }

  /** Subscribes to what configured routes name, so that their first requests need not wait; balances as told. */
  configure(names: readonly ServiceName[], table: RouteTable): void {
    const { policies = {}, balance = {}, outliers = {}, breakers = {}, rateLimits = {}, retries = {} } = table
    this.#affinities = table.affinity ?? {}
    this.#poolIdle = table.poolIdle ?? {}
    this.#via = table.via
    this.#configured = new Set(names.map(serviceKey))
    this.#exposed = new Set(table.exposed === 'all' ? [] : table.exposed)
    this.#policies = policies
    this.#spreadings = balance
    this.#outliers = outliers
    this.#breakers = breakers
    this.#rates = rateLimits
    this.#retries = retries
    for (const [key, service] of this.#services) {
      if (this.#isNamed(key)) service.prove()
      service.balanceBy(this.#balanceOf(key))
      service.balancer.configure(this.#outliersOf(key))
      service.pools.configure(this.#breakerOf(key))
      service.pools.keepIdle(this.#idleOf(key))
      service.rate.configure(this.#rateOf(key))
      service.budget.configure(this.#budgetOf(key))
      service.stick(this.#affinityOf(key))
      service.markBy(this.#via)
    }
    for (const name of names) this.get(name)
  }

  get #isFull(): boolean {
    return this.#services.size >= this.#configured.size + maxByHost
  }

  #isUnused = ({ usedAt, isProven }: Service): boolean =>
    usedAt <= this.#path.deadlines.now - (isProven ? forgetAfterMs : forgetUnprovenAfterMs)

  /** Whether the configuration names it, for a route or as reachable by Host. */
  #isNamed(key: string): boolean {
    return this.#configured.has(key) || this.#exposed.has(key)
  }

  #forget(which: (service: Service) => boolean): void {
    for (const [key, service] of this.#services) {
      if (this.#configured.has(key) || !service.isIdle || !which(service)) continue
      service.close()
      this.#services.delete(key)
      this.#path.metrics.forget(key)
    }
  }

  /** A newer registry may name a policy that this gateway does not have. */
  #policyOf(key: string): PolicyName {
    const named = Object.hasOwn(this.#policies, key) ? this.#policies[key] : undefined
    return named !== undefined && isPolicyName(named) ? named : this.#path.settings.policy
  }

  #balanceOf(key: string): BalanceSettings {
    const own = Object.hasOwn(this.#spreadings, key) ? this.#spreadings[key] : undefined
    return { ...own, policy: this.#policyOf(key) }
  }

  #outliersOf(key: string): Partial<OutlierSettings> {
    return (Object.hasOwn(this.#outliers, key) ? this.#outliers[key] : undefined) ?? {}
  }

  #breakerOf(key: string): BreakerSettings {
    const own = Object.hasOwn(this.#breakers, key) ? this.#breakers[key] : undefined
    return { ...this.#path.settings.breaker, ...own }
  }

  #idleOf(key: string): Milliseconds | undefined {
    const ms = Object.hasOwn(this.#poolIdle, key) ? this.#poolIdle[key] : undefined
    return typeof ms === 'number' && ms >= 0 ? ms : undefined
  }

  #rateOf(key: string): RateLimitSettings | undefined {
    return Object.hasOwn(this.#rates, key) ? this.#rates[key] : undefined
  }

  #affinityOf(key: string): AffinitySettings | undefined {
    return (Object.hasOwn(this.#affinities, key) ? this.#affinities[key] : undefined) ?? undefined
  }

  #budgetOf(key: string): RetryBudgetOptions {
    const own = Object.hasOwn(this.#retries, key) ? this.#retries[key]?.budget : undefined
    const { ratio, minPerSecond } = own ?? {}
    return {
      ...(typeof ratio === 'number' && ratio >= 0 ? { ratio } : {}),
      ...(typeof minPerSecond === 'number' && minPerSecond >= 0 ? { reservePerSecond: minPerSecond } : {}),
    }
  }

  all(): Iterable<Service> {
    return this.#services.values()
  }

  close(): void {
    this.#path.deadlines.delete(this)
    for (const service of this.#services.values()) service.close()
    this.#services.clear()
  }
}
