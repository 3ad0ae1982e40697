import {
  type Instance,
  type InstanceName,
  type InstanceSet,
  type OutcomeReport,
  orderedById,
  type PickingSubscriber,
  type RateClaim,
  type RateClaimant,
  type RateDemand,
  type Resolver,
  receiverOf,
  type ServiceName,
  serviceKey,
  type View,
} from '@portolan/core'

/** An instance with everything that tests and benches do not care about filled in. */
export function instanceOf(
  service: string,
  id: string,
  port: number,
  more: Partial<Instance> = {},
): Instance {
  return {
    namespace: 'default',
    service,
    id,
    addresses: ['127.0.0.1'],
    ports: [{ name: 'http', number: port, protocol: 'http', tls: false }],
    weight: 1,
    tags: [],
    metadata: {},
    source: 'test',
    owner: 'test',
    incarnation: 1,
    causes: [],
    ...more,
  }
}

/** A resolver whose sets are given by hand. Services that were never given stay unknown. */
export class StaticResolver implements Resolver {
  readonly #views = new Map<string, View>()
  readonly #receivers = new Map<string, Set<(view: View) => void>>()
  #revision = 0

  give(service: string, instances: readonly Instance[]): void {
    const name = { namespace: instances[0]?.namespace ?? 'default', service }
    const set: InstanceSet = {
      ...name,
      cursor: { epoch: 'static', revision: ++this.#revision },
      instances: orderedById(instances),
    }
    const view = { set, stale: false }
    this.#views.set(serviceKey(name), view)
    for (const receive of this.#receivers.get(serviceKey(name)) ?? []) receive(view)
  }

  /** What was said to it. */
  readonly idled: InstanceName[] = []
  readonly reports: OutcomeReport[] = []

  readonly #pickers = new Map<string, PickingSubscriber>()

  /** What the last one who picks the service says. */
  inFlight(service: string, instance: { readonly id: string; readonly incarnation: number }): number {
    return this.#pickers.get(service)?.inFlight(instance) ?? 0
  }

  subscribe(service: ServiceName, subscriber: ((view: View) => void) | PickingSubscriber): () => void {
    const receive = receiverOf(subscriber)
    const key = serviceKey(service)
    if (typeof subscriber !== 'function') this.#pickers.set(key, subscriber)
    const receivers = this.#receivers.get(key) ?? new Set()
    this.#receivers.set(key, receivers.add(receive))
    const view = this.#views.get(key)
    if (view !== undefined) receive(view)
    return () => receivers.delete(receive)
  }

  /** Whether anybody wants to know the service's instances. */
  isWatched(service: string): boolean {
    return (this.#receivers.get(service)?.size ?? 0) > 0
  }

  idle(instance: InstanceName): void {
    this.idled.push(instance)
  }

  report(_: ServiceName, report: OutcomeReport): void {
    this.reports.push(report)
  }

  /** Who takes part in a rate limit, by service key, and what they told of it. */
  readonly claimants = new Map<string, RateClaimant>()
  readonly demands: RateDemand[] = []

  claim(service: ServiceName, claimant: RateClaimant): RateClaim {
    const key = serviceKey(service)
    this.claimants.set(key, claimant)
    this.demands.push(claimant.demand())
    return {
      tell: demand => void this.demands.push(demand),
      end: () => void this.claimants.delete(key),
    }
  }
}
