import type { Clock, Milliseconds } from '@portolan/core'

/** Something that happens at a moment of virtual time. */
export interface Happening {
  happen(now: Milliseconds): void
}

/**
 * A clock that jumps from one planned happening to the next. What is planned for the same moment happens in the order in
 * which it was planned, so that one seed gives one course of events.
 *
 * A binary heap over three parallel arrays: an event costs no object of its own.
 */
export class VirtualTime implements Clock {
  #now: Milliseconds = 0
  #planned = 0
  readonly #times: Milliseconds[] = []
  readonly #orders: number[] = []
  readonly #happenings: Happening[] = []

  now(): Milliseconds {
    return this.#now
  }

  /** Everything that has not happened yet. */
  get pending(): number {
    return this.#times.length
  }

  /** @param at not before now: the past stays as it is */
  plan(at: Milliseconds, happening: Happening): void {
    this.#place(this.#times.length, Math.max(at, this.#now), this.#planned++, happening)
    this.#rise(this.#times.length - 1)
  }

  /** Lets everything happen that is planned up to `end`, and what follows from it; then it is `end`. */
  runUntil(end: Milliseconds): void {
    for (let next = this.#times[0]; next !== undefined && next <= end; next = this.#times[0]) {
      const happening = this.#takeFirst()
      this.#now = next
      happening.happen(next)
    }
    this.#now = Math.max(this.#now, end)
  }

  #takeFirst(): Happening {
    const first = this.#happenings[0] as Happening
    const time = this.#times.pop() as Milliseconds
    const order = this.#orders.pop() as number
    const happening = this.#happenings.pop() as Happening
    if (this.#times.length > 0) {
      this.#place(0, time, order, happening)
      this.#sink(0)
    }
    return first
  }

  #rise(from: number): void {
    let index = from
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!this.#isBefore(index, parent)) return
      this.#swap(index, parent)
      index = parent
    }
  }

  #sink(from: number): void {
    const { length } = this.#times
    let index = from
    for (;;) {
      let first = index
      for (let child = 2 * index + 1; child <= 2 * index + 2 && child < length; child++) {
        if (this.#isBefore(child, first)) first = child
      }
      if (first === index) return
      this.#swap(index, first)
      index = first
    }
  }

  #isBefore(one: number, other: number): boolean {
    const between = (this.#times[one] as number) - (this.#times[other] as number)
    return between < 0 || (between === 0 && (this.#orders[one] as number) < (this.#orders[other] as number))
  }

  #swap(one: number, other: number): void {
    const [time, order, happening] = [this.#times[one], this.#orders[one], this.#happenings[one]]
    this.#place(
      one,
      this.#times[other] as number,
      this.#orders[other] as number,
      this.#happenings[other] as Happening,
    )
    this.#place(other, time as number, order as number, happening as Happening)
  }

  #place(index: number, time: Milliseconds, order: number, happening: Happening): void {
    this.#times[index] = time
    this.#orders[index] = order
    this.#happenings[index] = happening
  }
}
