import type { InstanceName, ServiceName } from '../instance/instance.ts'
import type { InstanceSet } from '../instance/instance-set.ts'
import type { RateDemand, RateShare } from '../rate/limit.ts'
import type { InstanceOutcomes } from '../session/messages.ts'

/** What a subscriber knows of one service, and whether the registry is there to correct it. */
export interface View {
  readonly set: InstanceSet
  /** True while no registry answers: the set is the last one known, and keeps being served. */
  readonly stale: boolean
}

/** Ends a subscription; calling it again does nothing. */
export type Unsubscribe = () => void

/** Somebody who picks by the sets that he receives. */
export interface PickingSubscriber {
  receive(view: View): void
  /**
   * Requests of his that are under way to an instance which is draining. Asked after `receive`, and again after
   * each {@link Resolver.idle}, until it is 0: only then may the instance stop.
   */
  inFlight(instance: { readonly id: string; readonly incarnation: number }): number
}

/**
 * Where proxies, DNS and the SDK get instance sets from, and where they say what their requests found. The data path
 * sees this and never a store.
 */
export interface Resolver {
  /**
   * `receive` is called at once (within the call) when the service is known already, then at every change. A
   * function only looks on; drains wait for those who pick.
   */
  subscribe(service: ServiceName, subscriber: ((view: View) => void) | PickingSubscriber): Unsubscribe
  /** The last request of one subscriber to a draining instance is over. */
  idle(instance: InstanceName): void
  /**
   * What this process's requests found since it said so last. Cheap facts come at most once a second and service; a
   * failure that makes an instance suspect comes at once.
   */
  report(service: ServiceName, report: OutcomeReport): void
  /** Takes part in the service's rate limit, which the registry deals out to all who do. */
  claim(service: ServiceName, claimant: RateClaimant): RateClaim
}

/** Somebody who goes by a share of a service's rate limit. */
export interface RateClaimant {
  /** What a registry that knows nothing of him is to be told. */
  demand(): RateDemand
  /** His share, from now on. Without a registry the last one goes on. */
  receive(share: RateShare): void
}

export interface RateClaim {
  /** Dropped while there is no registry. */
  tell(demand: RateDemand): void
  end(): void
}

/** How a subscriber wants to be told, whichever kind it is. */
export function receiverOf(subscriber: ((view: View) => void) | PickingSubscriber): (view: View) => void {
  return typeof subscriber === 'function' ? subscriber : view => subscriber.receive(view)
}

/** What the requests of one process to one service found, over `overMs`. */
export interface OutcomeReport {
  readonly overMs: number
  /** The process's own CPU time for them in milliseconds, where it does nothing else. */
  readonly cpuMs?: number
  readonly outcomes: readonly InstanceOutcomes[]
}
