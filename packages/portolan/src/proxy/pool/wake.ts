import type { Milliseconds } from '@portolan/core'

/** Rings that follow each other at once would be one each for everybody that is due: some go together. */
const leastMs: Milliseconds = 5
/** The longest that a timer of Node's can be set to; a longer one rings at once. */
const mostMs: Milliseconds = 2 ** 31 - 1

/** A timer that rings once each time that it is set; when our own loop was late, only after what came meanwhile was read. */
export class Wake {
  readonly #ring: () => void
  #timer: NodeJS.Timeout | undefined
  #turn: NodeJS.Immediate | undefined

  constructor(ring: () => void) {
    this.#ring = ring
  }

  get isSet(): boolean {
    return this.#timer !== undefined
  }

  /** Sets it anew, however it stood. It may ring a fraction of a millisecond early: whoever is woken looks at the clock. */
  setIn(ms: Milliseconds): void {
    this.clear()
    this.#timer = setTimeout(this.#due, Math.min(mostMs, Math.max(leastMs, Math.ceil(ms))))
  }

  clear(): void {
    clearTimeout(this.#timer)
    clearImmediate(this.#turn)
    this.#timer = undefined
    this.#turn = undefined
  }

  readonly #due = (): void => {
    this.#turn = setImmediate(this.#wake)
  }

  readonly #wake = (): void => {
    this.clear()
    this.#ring()
  }
}
