import {
  type Catalogue,
  type Instance,
  type InstanceName,
  type InstanceSet,
  orderedById,
  orderedServices,
  type PickingSubscriber,
  type Resolver,
  type ServiceName,
  type Unsubscribe,
  type View,
} from '@portolan/core'

const keyOf = ({ namespace, service }: ServiceName) => `${namespace}/${service}`

/** Services and their sets, given by hand. What was never given stays unknown. */
export class StaticCatalogue implements Catalogue, Pick<Resolver, 'subscribe' | 'idle'> {
  readonly #views = new Map<string, View>()
  readonly #pickers = new Map<string, PickingSubscriber>()
  readonly #watchers = new Set<(services: readonly ServiceName[]) => void>()
  #services: readonly ServiceName[] | undefined
  #revision = 0
  /** What was said to it. */
  readonly idled: InstanceName[] = []

  /** Services that are subscribed to. */
  get subscribed(): readonly string[] {
    return [...this.#pickers.keys()].sort()
  }

  get watchers(): number {
    return this.#watchers.size
  }

  list(names: readonly ServiceName[]): void {
    this.#services = orderedServices(names)
    for (const watcher of this.#watchers) watcher(this.#services)
  }

  /** @returns the set that was told */
  give(name: ServiceName, instances: readonly Instance[]): InstanceSet {
    const { namespace, service } = name
    const cursor = { epoch: 'static', revision: ++this.#revision }
    const set = { namespace, service, cursor, instances: orderedById(instances) }
    this.#show(name, { set, stale: false })
    return set
  }

  markStale(name: ServiceName, stale: boolean): void {
    const view = this.#views.get(keyOf(name))
    if (view !== undefined) this.#show(name, { ...view, stale })
  }

  /** What the one who picks the service says. */
  inFlight(name: ServiceName, id: string): number {
    return this.#pickers.get(keyOf(name))?.inFlight({ id, incarnation: 1 }) ?? 0
  }

  watchServices(receive: (services: readonly ServiceName[]) => void): Unsubscribe {
    this.#watchers.add(receive)
    if (this.#services !== undefined) receive(this.#services)
    return () => {
      this.#watchers.delete(receive)
    }
  }

  subscribe(name: ServiceName, subscriber: ((view: View) => void) | PickingSubscriber): Unsubscribe {
    if (typeof subscriber === 'function') throw new Error('DNS picks')
    const key = keyOf(name)
    this.#pickers.set(key, subscriber)
    const view = this.#views.get(key)
    if (view !== undefined) subscriber.receive(view)
    return () => {
      this.#pickers.delete(key)
    }
  }

  idle(instance: InstanceName): void {
    this.idled.push(instance)
  }

  #show(name: ServiceName, view: View): void {
    this.#views.set(keyOf(name), view)
    this.#pickers.get(keyOf(name))?.receive(view)
  }
}
