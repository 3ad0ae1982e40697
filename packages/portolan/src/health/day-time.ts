import type { Milliseconds } from '@portolan/core'
import type { FairTime } from './fair-time.ts'

/** Readings of two clocks differ by a millisecond or so; what differs by more is a clock that was set. */
const setBy: Milliseconds = 250

/**
 * The time of day of moments in real time. The two clocks are compared once, and again only when the time of day was
 * set: reckoned anew each time, the same moment would be told a millisecond earlier or later.
 */
export class DayTime {
  readonly #time: FairTime
  readonly #timeOfDay: () => string
  readonly #first: Milliseconds
  #origin: Milliseconds

  /** `timeOfDay` = ISO 8601, UTC. */
  constructor(time: FairTime, timeOfDay: () => string) {
    this.#time = time
    this.#timeOfDay = timeOfDay
    this.#first = this.#read()
    this.#origin = this.#first
  }

  /** A mark of this moment that stays what it is when the clock is set: small, since there is one for each event. */
  get mark(): Milliseconds {
    this.#compare()
    return this.#time.real + this.#origin - this.#first
  }

  ofMark(mark: Milliseconds): string {
    return new Date(this.#first + mark).toISOString()
  }

  /** By the time of day as it is now. */
  ofReal(at: Milliseconds): string {
    this.#compare()
    return new Date(this.#origin + at).toISOString()
  }

  #compare(): void {
    const origin = this.#read()
    if (Math.abs(origin - this.#origin) > setBy) this.#origin = origin
  }

  #read(): Milliseconds {
    return Date.parse(this.#timeOfDay()) - this.#time.real
  }
}
