import type { Random } from '../../time/clock.ts'
import { type Dice, diceFrom } from '../drawing/dice.ts'
import { Lots } from '../drawing/lots.ts'
import { TriedIndex } from '../drawing/tried.ts'
import { type Endpoint, type PickContext, type Picker, type Policy, trivialPicker } from '../picker.ts'

/** Each pick by weight and by chance alone, in constant time (see {@link Lots}). */
export function randomChoice(): Policy {
  return (endpoints, random) => trivialPicker(endpoints) ?? new RandomPicker(endpoints, random)
}

class RandomPicker implements Picker {
  readonly #endpoints: readonly Endpoint[]
  readonly #dice: Dice
  readonly #lots: Lots
  readonly #tried: TriedIndex

  constructor(endpoints: readonly Endpoint[], random: Random) {
    this.#endpoints = endpoints
    this.#dice = diceFrom(random)
    this.#lots = new Lots(endpoints.map(endpoint => endpoint.weight))
    this.#tried = new TriedIndex(endpoints)
  }

  pick(context?: PickContext): Endpoint | undefined {
    const tried = context?.tried
    if (tried === undefined || tried.length === 0) return this.#endpoints[this.#lots.draw(this.#dice)]
    const index = this.#lots.drawOutside(this.#tried.indices(tried), this.#dice)
    return this.#endpoints[index >= 0 ? index : this.#lots.draw(this.#dice)]
  }
}
