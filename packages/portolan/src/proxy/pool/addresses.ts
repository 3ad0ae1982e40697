import type { Milliseconds } from '@portolan/core'

/** For so long an address is tried first because it was the one that answered (RFC 8305 section 4). */
const rememberedMs: Milliseconds = 600_000

/** The addresses of one instance, in the order in which they are worth trying. */
export class Addresses {
  readonly #all: readonly string[]
  #worked: string | undefined
  #since: Milliseconds = 0

  /** @param all the preferred one first */
  constructor(all: readonly string[]) {
    this.#all = all
  }

  /** The one that answered last goes first, if another one had been tried before it. */
  order(now: Milliseconds): readonly string[] {
    if (this.#worked === undefined) return this.#all
    if (now - this.#since >= rememberedMs) {
      this.#worked = undefined
      return this.#all
    }
    const worked = this.#worked
    return [worked, ...this.#all.filter(address => address !== worked)]
  }

  /** A connection came about there. That it still works does not make it remembered for longer. */
  worked(address: string, now: Milliseconds): void {
    if (address === this.#all[0]) this.#worked = undefined
    else if (address !== this.#worked) {
      this.#worked = address
      this.#since = now
    }
  }
}
