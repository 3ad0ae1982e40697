import { AliasTable } from './alias.ts'
import type { Dice } from './dice.ts'

/**
 * Draws indices by weight, also with some of them left out, each of the rest then having its exact share.
 *
 * Leaving out works by a hole: index i owns the interval [start, end) of the line [0, total); a point is drawn on a
 * line shortened by what is left out, and moves past each hole that lies at or before it. (The usual short cut,
 * "taken already: then its neighbour", makes neighbours more likely than the rest.)
 */
export class Lots {
  readonly #count: number
  /** Where each interval starts, and the total at the end; `undefined` when all weights are equal. */
  readonly #starts: Float64Array | undefined
  readonly #alias: AliasTable | undefined

  /** @param weights finite, > 0 */
  constructor(weights: ArrayLike<number>) {
    this.#count = weights.length
    if (allEqual(weights)) return
    this.#starts = runningTotals(weights)
    this.#alias = new AliasTable(weights)
  }

  /** An index by weight. Needs one at least. */
  draw(dice: Dice): number {
    return this.#alias === undefined ? dice.below(this.#count) : this.#alias.draw(dice)
  }

  /** An index by weight among all but `index`. Needs two at least. */
  drawExcept(index: number, dice: Dice): number {
    if (this.#alias === undefined) {
      const other = dice.below(this.#count - 1)
      return other < index ? other : other + 1
    }
    // A plain draw that comes out different has the right distribution and costs no search.
    const other = this.#alias.draw(dice)
    if (other !== index) return other
    const start = this.#start(index)
    const width = this.#start(index + 1) - start
    const point = dice.fraction() * (this.#start(this.#count) - width)
    const found = this.#indexAt(point < start ? point : point + width)
    return found === index ? (index + 1) % this.#count : found
  }

  /** An index by weight among all but `left out` (ascending, distinct); -1 when nothing is left. */
  drawOutside(leftOut: readonly number[], dice: Dice): number {
    if (leftOut.length >= this.#count) return -1
    let length = this.#start(this.#count)
    for (const index of leftOut) length -= this.#start(index + 1) - this.#start(index)
    let point = dice.fraction() * length
    for (const index of leftOut) {
      const start = this.#start(index)
      if (point < start) break
      point += this.#start(index + 1) - start
    }
    let found = this.#indexAt(point)
    // With fractional weights a point may be rounded into a hole.
    while (leftOut.includes(found)) found = (found + 1) % this.#count
    return found
  }

  #start(index: number): number {
    return this.#starts === undefined ? index : (this.#starts[index] ?? 0)
  }

  /** The index whose interval holds `point`: binary search. */
  #indexAt(point: number): number {
    if (this.#starts === undefined) return Math.min(Math.floor(point), this.#count - 1)
    let low = 0
    let high = this.#count - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if ((this.#starts[middle] ?? 0) <= point) low = middle
      else high = middle - 1
    }
    return low
  }
}

/** Whether all values are the same one. */
export function allEqual(values: ArrayLike<number>): boolean {
  for (let index = 1; index < values.length; index++) if (values[index] !== values[0]) return false
  return true
}

function runningTotals(weights: ArrayLike<number>): Float64Array {
  const totals = new Float64Array(weights.length + 1)
  for (let index = 0; index < weights.length; index++) {
    totals[index + 1] = (totals[index] ?? 0) + (weights[index] ?? 0)
  }
  return totals
}
