/** One place in a {@link Line}. */
export interface Place<Waiter> {
  readonly waiter: Waiter
  /** When it was taken, in the line's own time. */
  readonly since: number
  /** For the line alone. */
  previous: Place<Waiter> | undefined
  next: Place<Waiter> | undefined
  line: Line<Waiter> | undefined
}

/** Those that wait, first come first served. Whoever leaves does so from any place, at the same small cost. */
export class Line<Waiter> {
  #first: Place<Waiter> | undefined
  #last: Place<Waiter> | undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  get first(): Place<Waiter> | undefined {
    return this.#first
  }

  join(waiter: Waiter, since: number): Place<Waiter> {
    const place: Place<Waiter> = { waiter, since, previous: this.#last, next: undefined, line: this }
    if (this.#last === undefined) this.#first = place
    else this.#last.next = place
    this.#last = place
    this.#size += 1
    return place
  }

  /** Leaving twice is leaving once. */
  leave(place: Place<Waiter>): void {
    if (place.line !== this) return
    const { previous, next } = place
    if (previous === undefined) this.#first = next
    else previous.next = next
    if (next === undefined) this.#last = previous
    else next.previous = previous
    place.previous = undefined
    place.next = undefined
    place.line = undefined
    this.#size -= 1
  }

  /** Takes out the first one if it has waited since `time` or longer. */
  takeOlder(time: number): Waiter | undefined {
    const first = this.#first
    if (first === undefined || first.since > time) return undefined
    this.leave(first)
    return first.waiter
  }
}
