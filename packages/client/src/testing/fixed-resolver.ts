import {
  type Instance,
  type InstanceName,
  type InstanceSet,
  type OutcomeReport,
  type PickingSubscriber,
  type RateClaim,
  type Resolver,
  receiverOf,
  type ServiceName,
  type View,
} from '@portolan/core'

/** A resolver that knows what a test tells it. */
export class FixedResolver implements Resolver {
  readonly #receivers = new Set<(view: View) => void>()
  #set: InstanceSet | undefined
  #revision = 0

  /** Subscriptions that are open. */
  get subscriptions(): number {
    return this.#receivers.size
  }

  set(instances: readonly Instance[]): void {
    this.#revision += 1
    this.#set = {
      namespace: 'default',
      service: 'order',
      cursor: { epoch: 'e', revision: this.#revision },
      instances,
    }
    this.#tell(false)
  }

  markStale(): void {
    this.#tell(true)
  }

  /** The last one who subscribed to pick. */
  picker: PickingSubscriber | undefined

  /** What was said to it. */
  readonly idled: InstanceName[] = []
  readonly reports: OutcomeReport[] = []

  subscribe(_: ServiceName, subscriber: ((view: View) => void) | PickingSubscriber): () => void {
    const receive = receiverOf(subscriber)
    if (typeof subscriber !== 'function') this.picker = subscriber
    this.#receivers.add(receive)
    if (this.#set !== undefined) receive({ set: this.#set, stale: false })
    return () => this.#receivers.delete(receive)
  }

  idle(instance: InstanceName): void {
    this.idled.push(instance)
  }

  report(_: ServiceName, report: OutcomeReport): void {
    this.reports.push(report)
  }

  claim(): RateClaim {
    return { tell() {}, end() {} }
  }

  #tell(stale: boolean): void {
    if (this.#set === undefined) return
    for (const receive of this.#receivers) receive({ set: this.#set, stale })
  }
}
