import type { Instance } from '../instance/instance.ts'
import type { InstanceSet } from '../instance/instance-set.ts'
import type { Milliseconds, Random } from '../time/clock.ts'
import { eligible } from './eligible.ts'
import type { Endpoint, Outcome, PickContext, Picker, Policy } from './picker.ts'
import { Records } from './records.ts'

/**
 * Balances the requests to one service: composes a policy with the set of instances and with what is in flight.
 * `update` may take its time; `pick` and `done` are the hot path, synchronous and free of allocation.
 */
export class Balancer {
  readonly #random: Random
  readonly #onIdle: (instance: Instance) => void
  /** Records that have left the set, or given way to a newer run, with picks under way. */
  readonly #left = new Set<Endpoint>()
  readonly #records = new Records()
  #policy: Policy
  #set: InstanceSet | undefined
  #panic = false
  #eligible: readonly Endpoint[] = []
  /** The same as a set, made when it is first asked for. */
  #claimable: ReadonlySet<Endpoint> | undefined
  #picker: Picker

  /** @param onIdle told when the last pick of an instance is done that drains, or is not in the set any more */
  constructor(policy: Policy, random: Random, onIdle: (instance: Instance) => void = () => {}) {
    this.#policy = policy
    this.#random = random
    this.#onIdle = onIdle
    this.#picker = policy([], random, [])
  }

  /** Picks from `set` from now on. Endpoints that stay keep their load; picks that are under way may still end. */
  update(set: InstanceSet): void {
    this.#records.update(set.instances, endpoint => this.#leave(endpoint))
    this.#set = set
    this.#rebuild()
  }

  /** Picks by another policy from now on. Loads stay as they are. */
  usePolicy(policy: Policy): void {
    this.#policy = policy
    // What the last policy made of them is not this one's affair.
    for (const endpoint of this.#records.all) endpoint.weight = endpoint.instance.weight
    this.#rebuild()
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

  /**
   * Takes that endpoint for one request without asking the policy, if it is one that may be picked: for whoever has a
   * reason of its own, such as a free connection. Ended like a pick.
   */
  claim(endpoint: Endpoint): boolean {
    if (!this.mayPick(endpoint)) return false
    endpoint.inFlight += 1
    this.#picker.claimed?.(endpoint)
    return true
  }

  /** Whether that endpoint is one that may be picked at present. */
  mayPick(endpoint: Endpoint): boolean {
    this.#claimable ??= new Set(this.#eligible)
    return this.#claimable.has(endpoint)
  }

  /**
   * Ends one pick, exactly once. Also right for an endpoint that has left the set since.
   * @param ms how long it took, for policies that learn from it; below 0 = nobody measured
   */
  done(endpoint: Endpoint, outcome: Outcome, ms: Milliseconds = -1): void {
    if (endpoint.inFlight === 0) return
    endpoint.inFlight -= 1
    this.#picker.ended?.(endpoint, outcome, ms)
    if (endpoint.leaving && endpoint.inFlight === 0) this.#emptied(endpoint)
  }

  /** Lets the policy draw conclusions from what has ended. To be called about once a second, `overMs` after the last time. */
  refresh(overMs: Milliseconds): void {
    this.#picker.refresh?.(overMs)
  }

  /** Picks of that run of an instance, and of earlier runs, that are not done: the program may be the same one. */
  inFlight({ id, incarnation }: { readonly id: string; readonly incarnation: number }): number {
    let sum = 0
    const known = this.#records.of(id)
    if (known !== undefined && known.instance.incarnation <= incarnation) sum += known.inFlight
    for (const endpoint of this.#left) {
      if (endpoint.id === id && endpoint.instance.incarnation <= incarnation) sum += endpoint.inFlight
    }
    return sum
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
    return this.#records.all
  }

  #leave(endpoint: Endpoint): void {
    endpoint.leaving = true
    if (endpoint.inFlight > 0) this.#left.add(endpoint)
  }

  #emptied(endpoint: Endpoint): void {
    this.#left.delete(endpoint)
    this.#onIdle(endpoint.instance)
  }

  #rebuild(): void {
    const { endpoints, panic } = eligible(this.#records.all)
    this.#panic = panic
    this.#eligible = endpoints
    this.#claimable = undefined
    this.#picker = this.#policy(endpoints, this.#random, this.#records.all)
  }
}
