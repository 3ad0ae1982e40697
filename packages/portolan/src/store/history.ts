import type { Change } from './store.ts'

/** How much of the past a store keeps for watchers that lag: whichever bound is reached first. */
export interface HistoryLimits {
  /** Default 10,000. */
  readonly changes?: number
  /** Characters of keys and values. Default 32 Mi. */
  readonly bytes?: number
}

/**
 * The newest changes of one store, in a ring. Each has a sequence number, dense where revisions need not be.
 * The newest change is always kept, whatever its size.
 */
export class History {
  readonly #slots: (Change | undefined)[]
  readonly #maxBytes: number
  #bytes = 0
  #first = 0
  #end = 0
  #floor: number
  #newest: number

  constructor(revision: number, limits: HistoryLimits = {}) {
    this.#slots = new Array(limits.changes ?? 10_000)
    this.#maxBytes = limits.bytes ?? 33_554_432
    this.#floor = revision
    this.#newest = revision
  }

  /** The newest revision. */
  get newest(): number {
    return this.#newest
  }

  /** The lowest revision after which every change is still here. */
  get floor(): number {
    return this.#floor
  }

  /** The sequence number that the next change will get. */
  get end(): number {
    return this.#end
  }

  append(change: Change): number {
    if (this.#end - this.#first === this.#slots.length) this.#dropOldest()
    const sequence = this.#end++
    this.#slots[sequence % this.#slots.length] = change
    this.#newest = change.revision
    this.#bytes += weigh(change)
    while (this.#bytes > this.#maxBytes && this.#end - this.#first > 1) this.#dropOldest()
    return sequence
  }

  /** Undefined when the ring has gone past it. */
  at(sequence: number): Change | undefined {
    return sequence < this.#first || sequence >= this.#end
      ? undefined
      : this.#slots[sequence % this.#slots.length]
  }

  /** The sequence number of the first change after `revision`, which is at least `floor`. */
  after(revision: number): number {
    let low = this.#first
    let high = this.#end
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      if ((this.at(middle)?.revision ?? 0) > revision) high = middle
      else low = middle + 1
    }
    return low
  }

  #dropOldest(): void {
    const slot = this.#first++ % this.#slots.length
    const dropped = this.#slots[slot]
    this.#slots[slot] = undefined
    if (dropped === undefined) return
    this.#bytes -= weigh(dropped)
    this.#floor = dropped.revision
  }
}

function weigh(change: Change): number {
  let bytes = 0
  for (const event of change.events) bytes += event.key.length + (event.value?.length ?? 0)
  return bytes
}
