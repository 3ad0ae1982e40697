import type { Dice } from './dice.ts'

/** What a column keeps is counted in parts of this. */
const whole = 2 ** 30

/**
 * Draws an index with the probability weight / Σ weights in constant time, from two throws.
 * Walker's alias method, built in O(n) the numerically careful way of M. D. Vose, "A Linear Algorithm for
 * Generating Random Numbers with a Given Distribution", IEEE Transactions on Software Engineering 17(9), 1991.
 */
export class AliasTable {
  /** Of so many throws of a `whole`, column i keeps its own index; otherwise it gives way to its alias. */
  readonly #keep: Int32Array
  readonly #alias: Int32Array

  /** @param weights finite, > 0, at least one */
  constructor(weights: ArrayLike<number>) {
    const count = weights.length
    const scaled = scaledToMeanOne(weights)
    const small: number[] = []
    const large: number[] = []
    for (let index = 0; index < count; index++) (at(scaled, index) < 1 ? small : large).push(index)

    this.#keep = new Int32Array(count).fill(whole)
    this.#alias = Int32Array.from({ length: count }, (_, index) => index)
    while (small.length > 0 && large.length > 0) {
      const poor = small.pop() ?? 0
      const rich = large.pop() ?? 0
      this.#keep[poor] = Math.round(at(scaled, poor) * whole)
      this.#alias[poor] = rich
      // Vose's order of the sum: it loses least when one weight is far larger than another.
      scaled[rich] = at(scaled, rich) + at(scaled, poor) - 1
      ;(at(scaled, rich) < 1 ? small : large).push(rich)
    }
    // Whoever is left in either list missed 1 by a rounding error only: it keeps its whole column.
  }

  draw(dice: Dice): number {
    const column = dice.below(this.#keep.length)
    return dice.below(whole) < at(this.#keep, column) ? column : at(this.#alias, column)
  }
}

function scaledToMeanOne(weights: ArrayLike<number>): Float64Array {
  const scaled = Float64Array.from(weights)
  const mean = scaled.reduce((sum, weight) => sum + weight, 0) / scaled.length
  return scaled.map(weight => weight / mean)
}

function at(values: ArrayLike<number>, index: number): number {
  return values[index] ?? 0
}
