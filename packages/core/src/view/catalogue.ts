import type { ServiceName } from '../instance/instance.ts'
import type { Unsubscribe } from './resolver.ts'

/** Where it can be learnt which services there are: for those that answer for all of them, as DNS does. */
export interface Catalogue {
  /**
   * Every service that is known, ordered by namespace and name: at once when that is known already, then at every
   * change. A service is known while anybody is registered in it, while the configuration names it, and for a while
   * after its last instance has gone: a name that is being deployed again is not a name that does not exist.
   */
  watchServices(receive: (services: readonly ServiceName[]) => void): Unsubscribe
}
