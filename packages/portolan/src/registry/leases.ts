import type { Milliseconds } from '@portolan/core'

/**
 * The running leases, in the time that the caller counts. All of them are equally long, so that the order of the
 * last signs of life is the order of their ends: a renewal costs O(1), and so does looking for the first to end.
 */
export class Leases<Holder> {
  readonly #lengthMs: Milliseconds
  /** The last sign of life by holder. A `Map` keeps the order of insertion: the longest silent first. */
  readonly #heardAt = new Map<Holder, Milliseconds>()

  constructor(lengthMs: Milliseconds) {
    this.#lengthMs = lengthMs
  }

  get size(): number {
    return this.#heardAt.size
  }

  /** Starts a lease, or renews the one that runs. */
  start(holder: Holder, now: Milliseconds): void {
    this.#heardAt.delete(holder)
    this.#heardAt.set(holder, now)
  }

  stop(holder: Holder): void {
    this.#heardAt.delete(holder)
  }

  isRunning(holder: Holder): boolean {
    return this.#heardAt.has(holder)
  }

  /** Whether more than two thirds of a lease went by without a sign of life: it missed what should have come. */
  isOverdue(holder: Holder, now: Milliseconds): boolean {
    const heardAt = this.#heardAt.get(holder)
    return heardAt !== undefined && now - heardAt > (this.#lengthMs * 2) / 3
  }

  isOver(holder: Holder, now: Milliseconds): boolean {
    const heardAt = this.#heardAt.get(holder)
    return heardAt !== undefined && now - heardAt >= this.#lengthMs
  }

  /** Those whose lease is over, the longest silent first. They stay until they are stopped or started again. */
  expired(now: Milliseconds): Holder[] {
    const over: Holder[] = []
    for (const holder of this.#heardAt.keys()) {
      if (!this.isOver(holder, now)) break
      over.push(holder)
    }
    return over
  }
}
