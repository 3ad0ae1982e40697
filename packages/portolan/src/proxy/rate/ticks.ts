import { type Milliseconds, sharedTickMs } from '@portolan/core'

/** Somebody who wants to know how time passes. */
export interface Ticking {
  tick(): void
}

/** One timer for all limits that are shared with other gateways; none while there are none. */
export class Ticks {
  readonly #members = new Set<Ticking>()
  readonly #everyMs: Milliseconds
  #timer: NodeJS.Timeout | undefined

  constructor(everyMs: Milliseconds = sharedTickMs) {
    this.#everyMs = everyMs
  }

  add(member: Ticking): void {
    this.#members.add(member)
    this.#timer ??= setInterval(() => {
      for (const one of this.#members) one.tick()
    }, this.#everyMs).unref()
  }

  delete(member: Ticking): void {
    this.#members.delete(member)
    if (this.#members.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
