import { type Instance, isDraining } from '../instance/instance.ts'
import { Learned } from './cost/learned.ts'
import type { Endpoint } from './picker.ts'
import { Tally } from './tally.ts'

/**
 * A balancer's records of the instances of one service, kept by id over set changes. Sets come ordered by id, and share
 * what has not changed with the set before: a change of one among many costs one walk along both, and nothing by name.
 */
export class Records {
  readonly #byId = new Map<string, Endpoint>()
  #inOrder: readonly Endpoint[] = []

  /** One for each instance, in the set's order. */
  get all(): readonly Endpoint[] {
    return this.#inOrder
  }

  of(id: string): Endpoint | undefined {
    return this.#byId.get(id)
  }

  /**
   * @param instances ordered by id, as an instance set has them
   * @param left told of each record whose instance is gone, or runs anew
   */
  update(instances: readonly Instance[], left: (endpoint: Endpoint) => void): void {
    const before = this.#inOrder
    const now: Endpoint[] = []
    let place = 0
    const drop = (endpoint: Endpoint): void => {
      this.#byId.delete(endpoint.id)
      left(endpoint)
    }
    for (const instance of instances) {
      let known = before[place]
      for (; known !== undefined && known.id < instance.id; known = before[++place]) drop(known)
      if (known?.id !== instance.id) now.push(this.#added(instance))
      else {
        place++
        if (known.instance !== instance) known = this.#described(known, instance, drop)
        known.weight = instance.weight
        now.push(known)
      }
    }
    for (; place < before.length; place++) drop(before[place] as Endpoint)
    this.#inOrder = now
  }

  /** The record for another description of its instance: the same one, unless the instance runs anew. */
  #described(known: Endpoint, instance: Instance, drop: (endpoint: Endpoint) => void): Endpoint {
    if (known.instance.incarnation !== instance.incarnation) {
      drop(known)
      return this.#added(instance)
    }
    known.instance = instance
    known.leaving = isDraining(instance)
    return known
  }

  #added(instance: Instance): Endpoint {
    const { id, weight } = instance
    const added: Endpoint = {
      id,
      instance,
      weight,
      inFlight: 0,
      tally: new Tally(),
      learned: new Learned(),
      leaving: isDraining(instance),
    }
    this.#byId.set(id, added)
    return added
  }
}
