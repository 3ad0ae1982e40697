import type { Random } from '../../time/clock.ts'
import { hash32 } from '../hashing/hash.ts'
import { type Endpoint, type PickContext, type Picker, type Policy, trivialPicker } from '../picker.ts'
import { randomChoice } from '../random/random.ts'
import { Ring } from './ring.ts'

export interface RingHashOptions {
  /** No instance gets more than so many times its share of all requests in flight; … Default 1.25. */
  readonly bound?: number
  /** … or so many standard deviations more than its share, where that is more. Default 3; 0 = the bound alone. */
  readonly chance?: number
}

/**
 * Equal keys go to the same instance, and stay with it while others come and go (see {@link Ring}); but no instance
 * gets more than 1.25 times its share of what is in flight: keys of one that has it go on to the next on the ring.
 * V. Mirrokni, M. Thorup, M. Zadimoghaddam, "Consistent Hashing with Bounded Loads", SODA 2018.
 * Below a share of 144 in flight chance alone often makes more than that of an even load, and a third of all requests would
 * go astray: there, what chance makes once in some hundred times is let pass, and what a hot key makes is not.
 * Requests without a key are spread by chance.
 */
export function ringHash({ bound = 1.25, chance = 3 }: RingHashOptions = {}): Policy {
  let ring = Ring.empty()
  return (endpoints, random) => {
    ring = ring.changed(endpoints)
    return trivialPicker(endpoints) ?? new RingPicker(ring, endpoints, random, { bound, chance })
  }
}

class RingPicker implements Picker {
  readonly #ring: Ring
  /** By slot of the ring. */
  readonly #owners: (Endpoint | undefined)[] = []
  readonly #known: ReadonlySet<Endpoint>
  readonly #keyless: Picker
  readonly #limits: Required<RingHashOptions>
  readonly #totalWeight: number
  #inFlight: number

  constructor(ring: Ring, endpoints: readonly Endpoint[], random: Random, limits: Required<RingHashOptions>) {
    this.#ring = ring
    for (const endpoint of endpoints) this.#owners[ring.slotOf(endpoint.id) ?? 0] = endpoint
    this.#known = new Set(endpoints)
    this.#keyless = randomChoice()(endpoints, random, endpoints)
    this.#limits = limits
    this.#totalWeight = endpoints.reduce((sum, { weight }) => sum + weight, 0)
    this.#inFlight = endpoints.reduce((sum, { inFlight }) => sum + inFlight, 0)
  }

  pick(context?: PickContext): Endpoint | undefined {
    const key = context?.hashKey
    const picked = key === undefined ? this.#keyless.pick(context) : this.#pickFor(key, context?.tried)
    this.#inFlight += 1
    return picked
  }

  claimed(endpoint: Endpoint): void {
    if (this.#known.has(endpoint)) this.#inFlight += 1
  }

  ended(endpoint: Endpoint): void {
    if (this.#known.has(endpoint)) this.#inFlight -= 1
  }

  #pickFor(key: string, tried: readonly Endpoint[] | undefined): Endpoint | undefined {
    const ring = this.#ring
    const start = ring.placeOf(hash32(key))
    const each = (this.#inFlight + 1) / this.#totalWeight
    let place = start
    do {
      const owner = this.#owners[ring.slotAt(place)]
      if (owner !== undefined && this.#hasRoom(owner, each) && tried?.includes(owner) !== true) {
        return owner
      }
      place = ring.next(place)
    } while (place !== start)
    // Whoever has room has been tried: better one that has not, above its share.
    return this.#firstUntried(start, tried)
  }

  /** @param each what is in flight for a weight of 1, the present request included */
  #hasRoom({ inFlight, weight }: Endpoint, each: number): boolean {
    const share = each * weight
    const { bound, chance } = this.#limits
    if (inFlight < bound * share) return true
    return chance > 0 && inFlight < share + chance * Math.sqrt(share) + 1
  }

  #firstUntried(start: number, tried: readonly Endpoint[] | undefined): Endpoint | undefined {
    const ring = this.#ring
    let place = start
    do {
      const owner = this.#owners[ring.slotAt(place)]
      if (owner !== undefined && tried?.includes(owner) !== true) return owner
      place = ring.next(place)
    } while (place !== start)
    return this.#owners[ring.slotAt(start)]
  }
}
