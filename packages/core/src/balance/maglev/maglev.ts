import type { Random } from '../../time/clock.ts'
import { hash32, rehash32 } from '../hashing/hash.ts'
import { type Endpoint, type PickContext, type Picker, type Policy, trivialPicker } from '../picker.ts'
import { randomChoice } from '../random/random.ts'
import { maglevTable } from './table.ts'

/** Places that a retry looks at before it leaves the choice to chance. */
const rounds = 16

/**
 * Equal keys go to the same instance, found in one step (see {@link maglevTable}); shares are more even than on a ring,
 * and a change of the set moves a few more keys than it must. Requests without a key are spread by chance.
 */
export function maglev(): Policy {
  return (endpoints, random) => trivialPicker(endpoints) ?? new MaglevPicker(endpoints, random)
}

class MaglevPicker implements Picker {
  readonly #endpoints: readonly Endpoint[]
  readonly #table: Int32Array
  readonly #keyless: Picker

  constructor(endpoints: readonly Endpoint[], random: Random) {
    this.#endpoints = endpoints
    this.#table = maglevTable(endpoints)
    this.#keyless = randomChoice()(endpoints, random, endpoints)
  }

  pick(context?: PickContext): Endpoint | undefined {
    const key = context?.hashKey
    if (key === undefined) return this.#keyless.pick(context)
    const hash = hash32(key)
    const tried = context?.tried
    const first = this.#at(hash)
    if (tried === undefined || first === undefined || !tried.includes(first)) return first
    // A key has its second instance and its third as it has its first: so do retries of equal keys meet again.
    for (let round = 2; round < rounds; round++) {
      const next = this.#at(rehash32(hash, round))
      if (next !== undefined && !tried.includes(next)) return next
    }
    return this.#keyless.pick(context)
  }

  #at(hash: number): Endpoint | undefined {
    return this.#endpoints[this.#table[(hash >>> 0) % this.#table.length] ?? 0]
  }
}
