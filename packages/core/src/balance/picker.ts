import type { Instance } from '../instance/instance.ts'
import type { Milliseconds, Random } from '../time/clock.ts'
import type { Learned } from './cost/learned.ts'
import type { Tally } from './tally.ts'

/**
 * A balancer's own record of one instance. It is kept by instance id over set changes (a new incarnation starts a
 * new record), so that load and history survive updates. Pickers read it; only the balancer writes it.
 */
export interface Endpoint {
  readonly id: string
  /** The instance as the newest set describes it. */
  instance: Instance
  /** Effective weight: the instance's own, or less while it starts. Policies only ever get endpoints of weight > 0. */
  weight: number
  /** Picks that are not done yet. */
  inFlight: number
  /** How its requests ended. Pickers leave it alone. */
  readonly tally: Tally
  /** What a policy that learns has learned of it; empty for the others. */
  readonly learned: Learned
  /** It drains, or has left the set: when its last pick is done, somebody wants to know. */
  leaving: boolean
}

/** What a picker may know of the request. */
export interface PickContext {
  /** Requests with equal keys go to the same instance, where the policy is a hashing one. */
  readonly hashKey?: string
  /** Endpoints that this request has tried: avoided while another is left. */
  readonly tried?: readonly Endpoint[]
}

/** A momentary, replaceable choice among one set's endpoints. `pick` is synchronous and does not allocate. */
export interface Picker {
  /** `undefined`: there is nothing to pick. */
  pick(context?: PickContext): Endpoint | undefined
  /** One that may be picked has been taken without asking, and will be `ended` like a pick. For pickers that count. */
  claimed?(endpoint: Endpoint): void
  /**
   * A pick is done, after `ms`; below 0 = nobody measured. The endpoint may have been picked by an earlier picker, or from
   * an earlier set.
   */
  ended?(endpoint: Endpoint, outcome: Outcome, ms: Milliseconds): void
  /** About once a second, `overMs` after the last time: conclusions from what has ended since. */
  refresh?(overMs: Milliseconds): void
}

/**
 * A balancing policy: builds a picker from the endpoints that may be picked now (all of weight > 0).
 * A policy may carry state from one picker to the next, so each balancer has one of its own.
 * @param all every endpoint of the set, those included that may not be picked: for who must know how much is missing.
 *   Default: those that may be
 */
export type Policy = (endpoints: readonly Endpoint[], random: Random, all?: readonly Endpoint[]) => Picker

/** The picker for none or one endpoint, where every policy is the same; `undefined` for more. */
export function trivialPicker(endpoints: readonly Endpoint[]): Picker | undefined {
  if (endpoints.length > 1) return undefined
  const only = endpoints[0]
  return { pick: () => only }
}

/** How a request ended, as the balancer wants to know it. */
export type Outcome = 'success' | 'failure' | 'cancelled'
