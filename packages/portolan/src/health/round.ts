import type { Milliseconds } from '@portolan/core'
import { phases } from './pace.ts'

/**
 * The turns of all checks that keep the same interval, while that interval changes: like a clock's hand that goes
 * round once an interval, now faster, now slower, and passes each check at its own phase. So those that began at the
 * same moment are spread evenly, each has one turn a round, and a change of pace brings nobody's turn out of order.
 */
export class Round {
  #keptMs: Milliseconds
  /** Rounds until `#at`. */
  #rounds = 0
  #at: Milliseconds

  constructor(keptMs: Milliseconds, now: Milliseconds) {
    this.#keptMs = keptMs
    this.#at = now
  }

  get keptMs(): Milliseconds {
    return this.#keptMs
  }

  /** Goes on at another pace. */
  keep(keptMs: Milliseconds, now: Milliseconds): void {
    this.#rounds = this.#roundsAt(now)
    this.#at = now
    this.#keptMs = keptMs
  }

  /** The number of the turn that a check with this phase (of 2^16) had last. */
  turnOf(phase: number, now: Milliseconds): number {
    return Math.floor(this.#roundsAt(now) - phase / phases)
  }

  /** How long until its next turn, at the present pace: more than 0, and at most `keptMs`. */
  untilTurn(phase: number, now: Milliseconds): Milliseconds {
    const since = this.#roundsAt(now) - phase / phases
    return (1 - (since - Math.floor(since))) * this.#keptMs
  }

  #roundsAt(now: Milliseconds): number {
    return this.#rounds + (now - this.#at) / this.#keptMs
  }
}
