import type { ServiceName } from '../instance/instance.ts'
import type { InstanceSet } from '../instance/instance-set.ts'

/** What a subscriber knows of one service, and whether the registry is there to correct it. */
export interface View {
  readonly set: InstanceSet
  /** True while no registry answers: the set is the last one known, and keeps being served. */
  readonly stale: boolean
}

/** Ends a subscription; calling it again does nothing. */
export type Unsubscribe = () => void

/**
 * Where proxies, DNS and the SDK get instance sets from. The data path sees this and never a store.
 * `receive` is called at once (within the call) when the service is known already, then at every change.
 */
export interface Resolver {
  subscribe(service: ServiceName, receive: (view: View) => void): Unsubscribe
}
