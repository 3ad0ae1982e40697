import type { Milliseconds } from '@portolan/core'

/** Nothing is known of an upstream yet: a resolver's round trip and a little of its own asking. */
const firstPatienceMs: Milliseconds = 400
const leastPatienceMs: Milliseconds = 200
const mostPatienceMs: Milliseconds = 2000
/** So many failures in a row take it out: one is a lost packet, and two are a name whose own servers are slow. */
const mostFailures = 3
/** Out for so long, twice as long after each trial that fails. */
const firstOutMs: Milliseconds = 1000
const longestOutMs: Milliseconds = 30_000

/** `trial`: it was out for long enough that a question should be put to it, beside one that is sure of an answer. */
export type Standing = 'in' | 'out' | 'trial'

/** What our own questions have found out about one upstream. */
export class UpstreamHealth {
  /** Smoothed round trip and its deviation (RFC 6298 section 2); undefined before the first. */
  #roundTripMs: Milliseconds | undefined
  #deviationMs: Milliseconds = 0
  #failures = 0
  /** How often it has been taken out since it answered last. */
  #outs = 0
  #outUntil: Milliseconds = 0
  #trialUntil: Milliseconds = 0

  get roundTripMs(): Milliseconds | undefined {
    return this.#roundTripMs
  }

  get isOut(): boolean {
    return this.#outs > 0
  }

  standing(now: Milliseconds): Standing {
    if (this.#outs === 0) return 'in'
    return now < this.#outUntil || now < this.#trialUntil ? 'out' : 'trial'
  }

  /** One question at a time finds out whether it is back. */
  beginTrial(now: Milliseconds): void {
    this.#trialUntil = now + this.patienceMs(0)
  }

  /** How long an answer is waited for before somebody else is asked too: RFC 6298's time-out, twice as long each time. */
  patienceMs(tried: number): Milliseconds {
    const usual =
      this.#roundTripMs === undefined ? firstPatienceMs : this.#roundTripMs + 4 * this.#deviationMs
    return Math.min(mostPatienceMs, Math.max(leastPatienceMs, usual) * 2 ** tried)
  }

  /** @returns whether it was out until now */
  answered(roundTripMs: Milliseconds): boolean {
    this.#measure(roundTripMs)
    const wasOut = this.isOut
    this.#failures = 0
    this.#outs = 0
    return wasOut
  }

  /** @returns whether it is out from now on, and was not before */
  failed(now: Milliseconds): boolean {
    this.#failures++
    // Those that were under way when it went out say nothing new; a trial was begun for this very answer.
    if (this.isOut ? this.#trialUntil === 0 : this.#failures < mostFailures) return false
    const wasOut = this.isOut
    this.#outUntil = now + Math.min(longestOutMs, firstOutMs * 2 ** this.#outs)
    this.#outs++
    this.#trialUntil = 0
    return !wasOut
  }

  #measure(roundTripMs: Milliseconds): void {
    if (this.#roundTripMs === undefined) {
      this.#roundTripMs = roundTripMs
      this.#deviationMs = roundTripMs / 2
      return
    }
    this.#deviationMs += (Math.abs(this.#roundTripMs - roundTripMs) - this.#deviationMs) / 4
    this.#roundTripMs += (roundTripMs - this.#roundTripMs) / 8
  }
}
