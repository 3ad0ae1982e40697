import type { Random } from '../../time/clock.ts'
import type { Endpoint } from '../picker.ts'
import { type Dice, diceFrom } from './dice.ts'
import { Lots } from './lots.ts'
import { TriedIndex } from './tried.ts'

/** The endpoints of one picker, by index, and what it draws them with. */
export class Candidates {
  readonly all: readonly Endpoint[]
  readonly dice: Dice
  readonly #lots: Lots
  readonly #tried: TriedIndex

  constructor(endpoints: readonly Endpoint[], random: Random) {
    this.all = endpoints
    this.dice = diceFrom(random)
    this.#lots = new Lots(endpoints.map(({ weight }) => weight))
    this.#tried = new TriedIndex(endpoints)
  }

  /** One by weight. */
  draw(): number {
    return this.#lots.draw(this.dice)
  }

  /** One by weight among all but `index`. Needs two at least. */
  drawExcept(index: number): number {
    return this.#lots.drawExcept(index, this.dice)
  }

  /** One by weight among those that were not tried; -1 when all were. */
  drawUntried(tried: readonly Endpoint[]): number {
    return this.#lots.drawOutside(this.#tried.indices(tried), this.dice)
  }
}
