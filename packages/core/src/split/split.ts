import type { Dice } from '../balance/drawing/dice.ts'
import { hash32 } from '../balance/hashing/hash.ts'

/** One of those that requests are divided among. */
export interface Side {
  /** Keys stay with names: two splits with the same names and weights send a key to the same one. */
  readonly name: string
  /** A whole number, 0 to 1,000,000; 0: nobody comes here. */
  readonly weight: number
}

/** Divides requests by weight, by chance or by a key that stays where it is. */
export class Split {
  readonly #sides: readonly (Side & { readonly seed: number })[]
  readonly #total: number

  /** @param sides with 2^31 - 1 as the most that their weights may be together; weights that are no such number count as 0 */
  constructor(sides: readonly Side[]) {
    this.#sides = sides.map(({ name, weight }) => ({
      name,
      weight: Number.isSafeInteger(weight) && weight > 0 ? weight : 0,
      seed: hash32(name),
    }))
    this.#total = this.#sides.reduce((sum, { weight }) => sum + weight, 0)
  }

  /** @returns the index of a side; -1: all have the weight 0 */
  byChance(dice: Dice): number {
    if (this.#total === 0) return -1
    let left = dice.below(this.#total)
    let index = 0
    for (const { weight } of this.#sides) {
      left -= weight
      if (left < 0) return index
      index++
    }
    return -1
  }

  /**
   * Weighted rendezvous hashing (Schindelhauer and Schomaker, 2005, the logarithmic method): of the sides' w / -ln(u) the
   * greatest wins, u being the side's own hash of the key. When one weight grows, keys move to that side only.
   * @returns as {@link byChance}
   */
  byKey(key: string): number {
    let best = -1
    let most = 0
    for (let index = 0; index < this.#sides.length; index++) {
      const side = this.#sides[index]
      if (side === undefined || side.weight === 0) continue
      const u = ((hash32(key, side.seed) >>> 0) + 0.5) / 2 ** 32
      const score = side.weight / -Math.log(u)
      if (score <= most) continue
      most = score
      best = index
    }
    return best
  }
}
