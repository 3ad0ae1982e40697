import type { Instance } from '../instance/instance.ts'
import type { InstanceSet } from '../instance/instance-set.ts'
import type { Random } from '../time/clock.ts'
import { eligible } from './eligible.ts'
import type { Endpoint, Outcome, PickContext, Picker, Policy } from './picker.ts'
import { Tally } from './tally.ts'

/**
 * Balances the requests to one service: composes a policy with the set of instances and with what is in flight.
 * `update` may take its time; `pick` and `done` are the hot path, synchronous and free of allocation.
 */
export class Balancer {
  readonly #policy: Policy
  readonly #random: Random
  #records: ReadonlyMap<string, Endpoint> = new Map()
  #endpoints: readonly Endpoint[] = []
  #set: InstanceSet | undefined
  #panic = false
  #picker: Picker

  constructor(policy: Policy, random: Random) {
    this.#policy = policy
    this.#random = random
    this.#picker = policy([], random)
  }

  /** Picks from `set` from now on. Endpoints that stay keep their load; picks that are under way may still end. */
  update(set: InstanceSet): void {
    const records = new Map<string, Endpoint>()
    for (const instance of set.instances) records.set(instance.id, this.#recordOf(instance))
    this.#records = records
    this.#endpoints = [...records.values()]
    this.#set = set
    const { endpoints, panic } = eligible(this.#endpoints)
    this.#panic = panic
    this.#picker = this.#policy(endpoints, this.#random)
  }

  /**
   * The endpoint for one request, counted as in flight until {@link done}; `undefined` when there is nothing to
   * pick. One of `context.tried` is picked only when all that may be picked were tried.
   */
  pick(context?: PickContext): Endpoint | undefined {
    const endpoint = this.#picker.pick(context)
    if (endpoint !== undefined) endpoint.inFlight += 1
    return endpoint
  }

  /** Ends one pick, exactly once. Also right for an endpoint that has left the set since. */
  done(endpoint: Endpoint, _outcome: Outcome): void {
    if (endpoint.inFlight > 0) endpoint.inFlight -= 1
  }

  /** Whether picks fail open, because every instance that takes traffic carries a cause. */
  get panic(): boolean {
    return this.#panic
  }

  /** The set of the last {@link update}; `undefined` before the first. */
  get set(): InstanceSet | undefined {
    return this.#set
  }

  /** A record for each instance of the set, the ineligible ones included, in the set's order. */
  get endpoints(): readonly Endpoint[] {
    return this.#endpoints
  }

  #recordOf(instance: Instance): Endpoint {
    const { id, weight } = instance
    const known = this.#records.get(id)
    if (known === undefined || known.instance.incarnation !== instance.incarnation) {
      return { id, instance, weight, inFlight: 0, tally: new Tally() }
    }
    known.instance = instance
    known.weight = weight
    return known
  }
}
