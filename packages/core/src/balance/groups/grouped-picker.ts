import type { Milliseconds, Random } from '../../time/clock.ts'
import { type Dice, diceFrom } from '../drawing/dice.ts'
import { hash32, rehash32 } from '../hashing/hash.ts'
import type { Endpoint, Outcome, PickContext, Picker, Policy } from '../picker.ts'

/** Endpoints that are picked among themselves, and which part of all picks goes to them. */
export interface Group {
  readonly endpoints: readonly Endpoint[]
  /** Of all groups together 1. One of 0 is there for retries. */
  readonly share: number
}

interface Built {
  readonly picker: Picker
  readonly members: ReadonlySet<Endpoint>
  /** Throws of a `whole` below this lead here: the shares of all groups before, and its own. */
  readonly until: number
}

/**
 * First a group by its share (by chance, or by the request's key: equal ones stay together), then an endpoint of it by the policy. A request that has tried all of its group
 * goes on to another.
 */
export class GroupedPicker implements Picker {
  readonly #groups: readonly Built[]
  readonly #dice: Dice

  /** @param policyOf the policy of a group by its place, kept from one picker to the next: policies have memories */
  constructor(groups: readonly Group[], random: Random, policyOf: (place: number) => Policy) {
    let until = 0
    this.#dice = diceFrom(random)
    this.#groups = groups.map(({ endpoints, share }, place) => {
      until += share
      const picker = policyOf(place)(endpoints, random, endpoints)
      return { picker, members: new Set(endpoints), until: Math.round(until * whole) }
    })
  }

  pick(context?: PickContext): Endpoint | undefined {
    const key = context?.hashKey
    const point = key === undefined ? this.#dice.below(whole) : rehash32(hash32(key), keyRound) >>> 2
    let place = 0
    while (place < this.#groups.length - 1 && point >= (this.#groups[place]?.until ?? whole)) place++
    const picked = this.#groups[place]?.picker.pick(context)
    const tried = context?.tried
    if (tried === undefined || picked === undefined || !tried.includes(picked)) return picked
    return this.#elsewhere(place, picked, context)
  }

  claimed(endpoint: Endpoint): void {
    for (const { picker, members } of this.#groups) if (members.has(endpoint)) picker.claimed?.(endpoint)
  }

  ended(endpoint: Endpoint, outcome: Outcome, ms: Milliseconds): void {
    for (const { picker, members } of this.#groups) {
      if (members.has(endpoint)) picker.ended?.(endpoint, outcome, ms)
    }
  }

  refresh(overMs: Milliseconds): void {
    for (const { picker } of this.#groups) picker.refresh?.(overMs)
  }

  #elsewhere(place: number, picked: Endpoint, context: PickContext | undefined): Endpoint {
    for (let step = 1; step < this.#groups.length; step++) {
      const group = this.#groups[(place + step) % this.#groups.length]
      const other = group?.picker.pick(context)
      if (other === undefined) continue
      // What is passed over must not count as under way, where a picker counts.
      const isTried = context?.tried?.includes(other) === true
      const passed = isTried ? other : picked
      this.ended(passed, 'cancelled', -1)
      if (!isTried) return other
    }
    return picked
  }
}

/** Shares are counted in parts of this. */
const whole = 2 ** 30
/** Which group a key leads to is no hint at where in the group. */
const keyRound = 1000

/** One policy a place, made when it is first needed. */
export function policiesByPlace(newPolicy: () => Policy): (place: number) => Policy {
  const made: Policy[] = []
  return place => {
    made[place] ??= newPolicy()
    return made[place]
  }
}
