import type { Expiring } from '../deadlines.ts'

/** Somebody with a queue of bytes that a peer has not taken yet. */
export interface Queue {
  readonly queued: number
  /** It was found empty. */
  flushed(): void
}

/** Beyond this part of the limit nothing new is taken in at all. */
const exhaustedAt = 1.25

/**
 * What a gateway keeps in memory for its peers, all in all: requests that may have to be sent again, beginnings of heads,
 * pipelined requests, and what sockets have not got rid of. Kernel buffers are not counted.
 *
 * What is kept is counted as it comes and goes. Queues of sockets empty without a word, so those that have any are looked
 * at at each sweep.
 */
export class Memory implements Expiring {
  /** Due at every sweep. */
  readonly deadline = 0
  /** Bytes kept, queues apart. */
  kept = 0
  readonly #limit: () => number
  readonly #queues = new Set<Queue>()
  #queued = 0

  constructor(limit: () => number) {
    this.#limit = limit
  }

  get used(): number {
    return this.kept + this.#queued
  }

  /** From here on nothing is kept that can wait, and nobody is read from for whom something waits. */
  get isShort(): boolean {
    return this.used > this.#limit()
  }

  get isExhausted(): boolean {
    return this.used > exhaustedAt * this.#limit()
  }

  /** Something has been written that its peer has not taken at once. */
  note(queue: Queue): void {
    if (this.#queues.has(queue)) return
    this.#queues.add(queue)
    this.#queued += queue.queued
  }

  /** It is closed. */
  forget(queue: Queue): void {
    this.#queues.delete(queue)
  }

  expire(): void {
    this.#queued = 0
    for (const queue of this.#queues) {
      const { queued } = queue
      this.#queued += queued
      if (queued > 0) continue
      this.#queues.delete(queue)
      queue.flushed()
    }
  }
}
