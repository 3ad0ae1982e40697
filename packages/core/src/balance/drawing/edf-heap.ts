/** Deadlines beyond this are moved back towards 0, while a stride of 1 is still added without loss. */
const rebaseAt = 2 ** 40

/**
 * Earliest deadline first over a binary heap: index i is due every stride = heaviest weight / weight, so that the
 * heavier are due more often and all at even distances. Whatever was picked so far, each index is within one turn
 * of its share. (Virtual time as in weighted fair queueing: A. Demers, S. Keshav, S. Shenker, "Analysis and
 * Simulation of a Fair Queueing Algorithm", SIGCOMM 1989; Envoy's `EdfScheduler` is the same idea.)
 */
export class EdfHeap {
  readonly #strides: Float64Array
  /** Heap-ordered by deadline: which index stands at each place, and its deadline. Place 0 is due next. */
  readonly #order: Int32Array
  readonly #deadlines: Float64Array

  /**
   * @param weights finite, > 0
   * @param ahead by index, which part of its stride lies before its first turn: 0 to 1
   */
  constructor(weights: ArrayLike<number>, ahead: ArrayLike<number>) {
    const count = weights.length
    let heaviest = 0
    for (let index = 0; index < count; index++) heaviest = Math.max(heaviest, weights[index] ?? 0)
    this.#strides = Float64Array.from(weights, weight => heaviest / weight)
    this.#order = Int32Array.from({ length: count }, (_, index) => index)
    this.#deadlines = this.#strides.map((stride, index) => stride * (ahead[index] ?? 0))
    for (let place = (count >>> 1) - 1; place >= 0; place--) this.#siftDown(place)
  }

  /** The index at `place` (0 = due next); -1 beyond the end. */
  indexAt(place: number): number {
    return this.#order[place] ?? -1
  }

  /** Gives the index at `place` its turn, and returns it. */
  take(place: number): number {
    const index = this.indexAt(place)
    const due = (this.#deadlines[place] ?? 0) + (this.#strides[index] ?? 0)
    this.#deadlines[place] = due
    this.#siftDown(place)
    if (due > rebaseAt) this.#rebase()
    return index
  }

  /** By index, which part of its stride lies before its next turn. */
  ahead(): Float64Array {
    const now = this.#deadlines[0] ?? 0
    const ahead = new Float64Array(this.#order.length)
    this.#order.forEach((index, place) => {
      ahead[index] = ((this.#deadlines[place] ?? 0) - now) / (this.#strides[index] ?? 1)
    })
    return ahead
  }

  #siftDown(from: number): void {
    const order = this.#order
    const deadlines = this.#deadlines
    const count = order.length
    const last = count - 1
    const index = order[from] ?? 0
    const deadline = deadlines[from] ?? 0
    let place = from
    for (let child = 2 * place + 1; child < count; child = 2 * place + 1) {
      // Which child is earlier is as good as chance: a sum instead of a branch that half the time is mispredicted.
      const right = Math.min(child + 1, last)
      child += Number((deadlines[right] ?? 0) < (deadlines[child] ?? 0))
      const earlier = deadlines[child] ?? 0
      if (earlier >= deadline) break
      order[place] = order[child] ?? 0
      deadlines[place] = earlier
      place = child
    }
    order[place] = index
    deadlines[place] = deadline
  }

  #rebase(): void {
    const now = this.#deadlines[0] ?? 0
    for (let place = 0; place < this.#deadlines.length; place++) {
      this.#deadlines[place] = (this.#deadlines[place] ?? 0) - now
    }
  }
}
