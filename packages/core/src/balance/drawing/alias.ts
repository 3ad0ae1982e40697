import type { Random } from '../../time/clock.ts'

/**
 * Draws an index with the probability weight / Σ weights in constant time, from one random number.
 * Walker's alias method, built in O(n) the numerically careful way of M. D. Vose, "A Linear Algorithm for
 * Generating Random Numbers with a Given Distribution", IEEE Transactions on Software Engineering 17(9), 1991.
 */
export class AliasTable {
  /** Column i keeps its own index with this probability and gives way to its alias otherwise. */
  readonly #keep: Float64Array
  readonly #alias: Int32Array

  /** @param weights finite, > 0, at least one */
  constructor(weights: ArrayLike<number>) {
    const count = weights.length
    const scaled = scaledToMeanOne(weights)
    const small: number[] = []
    const large: number[] = []
    for (let index = 0; index < count; index++) (at(scaled, index) < 1 ? small : large).push(index)

    this.#keep = new Float64Array(count).fill(1)
    this.#alias = Int32Array.from({ length: count }, (_, index) => index)
    while (small.length > 0 && large.length > 0) {
      const poor = small.pop() ?? 0
      const rich = large.pop() ?? 0
      this.#keep[poor] = at(scaled, poor)
      this.#alias[poor] = rich
      // Vose's order of the sum: it loses least when one weight is far larger than another.
      scaled[rich] = at(scaled, rich) + at(scaled, poor) - 1
      ;(at(scaled, rich) < 1 ? small : large).push(rich)
    }
    // Whoever is left in either list missed 1 by a rounding error only: it keeps its whole column.
  }

  draw(random: Random): number {
    const spot = random() * this.#keep.length
    const column = Math.floor(spot)
    return spot - column < at(this.#keep, column) ? column : at(this.#alias, column)
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
