import { Balancer } from '../balance/balancer.ts'
import type { Endpoint, PickContext, Policy } from '../balance/picker.ts'
import type { EjectionReason, Trouble } from '../balance/tally.ts'
import type { Instance } from '../instance/instance.ts'
import type { InstanceSet } from '../instance/instance-set.ts'
import type { InstanceOutcomes } from '../session/messages.ts'
import type { Clock, Milliseconds, Random } from '../time/clock.ts'
import { localSet } from './local-set.ts'
import { OutlierMachine } from './machine.ts'
import { suspicion, untold } from './reports.ts'
import type { OutlierSettings } from './settings.ts'

export interface LocalBalancerParts {
  readonly policy: Policy
  readonly random: Random
  readonly clock: Clock
  readonly outliers: Partial<OutlierSettings>
  /** Told at once of an instance that has failed, at most once in 200 ms. */
  readonly suspect: (outcomes: InstanceOutcomes) => void
  /** As {@link Balancer} has it. */
  readonly onIdle?: (instance: Instance) => void
}

/**
 * Balances by the registry's set and by what this process's own requests found: who stands out carries the cause
 * `outlier` of the owner `local` in this process's copy of the set, and nowhere else. What gateway and library pick by.
 *
 * A success costs an addition and a comparison; whatever takes thought comes after a failure, or with `sweep`.
 */
export class LocalBalancer {
  readonly #machine = new OutlierMachine()
  readonly #balancer: Balancer
  readonly #clock: Clock
  readonly #suspect: (outcomes: InstanceOutcomes) => void
  #set: InstanceSet | undefined
  /** Whether answer times count: they are a second place in memory to write to. */
  #isTimed = false
  #sweptAt: Milliseconds

  constructor({ policy, random, clock, outliers, suspect, onIdle }: LocalBalancerParts) {
    this.#balancer = new Balancer(policy, random, onIdle)
    this.#clock = clock
    this.#suspect = suspect
    this.#sweptAt = clock.now()
    this.#take(outliers)
  }

  /** Holds from the next failure on. */
  configure(outliers: Partial<OutlierSettings>): void {
    this.#take(outliers)
    if (this.#set !== undefined) this.update(this.#set)
  }

  /** Picks by another policy from now on. Loads stay as they are, and what was learned. */
  usePolicy(policy: Policy): void {
    this.#balancer.usePolicy(policy)
  }

  /** Picks from the registry's `set` from now on. Runs of instances that stay keep their load and their standing. */
  update(set: InstanceSet): void {
    this.#set = set
    this.#machine.update(set, this.#clock.now())
    this.#rebuild()
  }

  /** As {@link Balancer.pick}. Every pick is ended once: by `succeeded`, `failed`, `pushedBack` or `cancelled`. */
  pick(context?: PickContext): Endpoint | undefined {
    let endpoint = this.#balancer.pick(context)
    if (endpoint?.tally.standing === 'due' && context?.tried?.length)
      endpoint = this.#proven(endpoint, context.tried)
    if (endpoint === undefined || endpoint.tally.standing !== 'due') return endpoint
    if (this.#machine.tried(endpoint, this.#clock.now())) this.#rebuild()
    return endpoint
  }

  /** As {@link Balancer.claim}. */
  claim(endpoint: Endpoint): boolean {
    if (!this.#balancer.claim(endpoint)) return false
    if (endpoint.tally.standing === 'due' && this.#machine.tried(endpoint, this.#clock.now())) this.#rebuild()
    return true
  }

  /** As {@link Balancer.mayPick}. */
  mayPick(endpoint: Endpoint): boolean {
    return this.#balancer.mayPick(endpoint)
  }

  /** An answer that speaks well of the instance; policies that learn do so from `ms`. */
  succeeded(endpoint: Endpoint, ms: Milliseconds): void {
    this.#balancer.done(endpoint, 'success', ms)
    const { tally } = endpoint
    tally.ok += 1
    if (this.#isTimed && ms > 0) tally.okMs += ms
    if (tally.failuresInRow === 0 && tally.standing === 'in') return
    if (this.#machine.succeeded(endpoint, this.#clock.now())) this.#rebuild()
  }

  /** A request has been granted and goes on for as long as it likes, as a tunnel: it is ended by `cancelled`, later. */
  accepted(endpoint: Endpoint, ms: Milliseconds): void {
    const { tally } = endpoint
    tally.ok += 1
    if (this.#isTimed && ms > 0) tally.okMs += ms
    if (tally.failuresInRow === 0 && tally.standing === 'in') return
    if (this.#machine.succeeded(endpoint, this.#clock.now())) this.#rebuild()
  }

  /** @param status of an answer that is a failure; 0 = there was none */
  failed(endpoint: Endpoint, trouble: Trouble, status = 0): void {
    // A connection that parted in good order says nothing of how long answers take.
    this.#balancer.done(endpoint, trouble === 'parted' ? 'cancelled' : 'failure')
    const { tally } = endpoint
    const now = this.#clock.now()
    tally.failed += 1
    tally.lastTrouble = trouble
    tally.lastStatus = status
    if (this.#machine.failed(endpoint, trouble, now)) this.#rebuild()
    const outcomes = suspicion(endpoint, now)
    if (outcomes !== undefined) this.#suspect(outcomes)
  }

  /** An answer by which the instance turned the request away: what learns takes it for a failure, nobody is ejected. */
  pushedBack(endpoint: Endpoint): void {
    this.#balancer.done(endpoint, 'failure')
    if (endpoint.tally.standing !== 'in' && this.#machine.undecided(endpoint)) this.#rebuild()
  }

  /** A request whose end says nothing of the instance. */
  cancelled(endpoint: Endpoint): void {
    this.#balancer.done(endpoint, 'cancelled')
    if (endpoint.tally.standing !== 'in' && this.#machine.undecided(endpoint)) this.#rebuild()
  }

  /** Lets in on trial whose time out is over. To be called at {@link nextRelease}. */
  release(): void {
    if (this.#machine.release(this.#clock.now())) this.#rebuild()
  }

  /** Compares peers and forgives. To be called about once a second while there are requests. */
  sweep(): void {
    const now = this.#clock.now()
    const overMs = now - this.#sweptAt
    this.#sweptAt = now
    this.#balancer.refresh(overMs)
    if (this.#machine.compare(this.#balancer.endpoints, overMs, now)) this.#rebuild()
  }

  /** When somebody's time out is over; undefined = nobody waits. */
  get nextRelease(): Milliseconds | undefined {
    return this.#machine.nextRelease
  }

  /** What the registry has not been told yet; it is told by this. */
  untold(): readonly InstanceOutcomes[] {
    return untold(this.#balancer.endpoints)
  }

  /** Instances that carry the local cause. */
  get outliers(): number {
    return this.#machine.outliers
  }

  /** Ejections so far. */
  get ejections(): Readonly<Record<EjectionReason, number>> {
    return this.#machine.ejections
  }

  /** Times that an instance stood out and stayed, because too few would have been left. */
  get withheld(): number {
    return this.#machine.withheld
  }

  /** As {@link Balancer.inFlight}. */
  inFlight(instance: { readonly id: string; readonly incarnation: number }): number {
    return this.#balancer.inFlight(instance)
  }

  get panic(): boolean {
    return this.#balancer.panic
  }

  /** The set that is picked from, local causes and all; undefined before the first. */
  get set(): InstanceSet | undefined {
    return this.#balancer.set
  }

  get endpoints(): readonly Endpoint[] {
    return this.#balancer.endpoints
  }

  /** A request that has failed already is no trial: it goes to one who is not due for any, if there is one. */
  #proven(due: Endpoint, tried: readonly Endpoint[]): Endpoint | undefined {
    const leftOut = [...tried]
    let endpoint: Endpoint | undefined = due
    while (endpoint?.tally.standing === 'due' && !leftOut.includes(endpoint)) {
      this.#balancer.done(endpoint, 'cancelled')
      leftOut.push(endpoint)
      endpoint = this.#balancer.pick({ tried: leftOut })
    }
    if (endpoint === undefined || !leftOut.includes(endpoint)) return endpoint
    this.#balancer.done(endpoint, 'cancelled')
    return this.#balancer.pick({ tried })
  }

  #take(outliers: Partial<OutlierSettings>): void {
    this.#machine.configure(outliers)
    this.#isTimed = (outliers.latencyFactor ?? 0) > 0
  }

  #rebuild(): void {
    if (this.#set !== undefined) this.#balancer.update(localSet(this.#set, this.#machine))
  }
}
