import { Fifo } from './fifo.ts'

/** Lets at most `most` through at a time; the others wait in the order in which they came. */
export class Turnstile {
  readonly #most: number
  readonly #waiting = new Fifo<() => void>()
  #inside = 0

  constructor(most: number) {
    this.#most = most
  }

  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#inside < this.#most) this.#inside++
    else await new Promise<void>(resolve => this.#waiting.push(resolve))
    try {
      return await work()
    } finally {
      // Who waits longest takes the place over, so that nobody slips in between.
      const next = this.#waiting.shift()
      if (next === undefined) this.#inside--
      else next()
    }
  }
}
