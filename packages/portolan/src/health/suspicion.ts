import type { HealthRules, Milliseconds } from '@portolan/core'
import type { FairTime } from './fair-time.ts'
import type { Look } from './looks.ts'
import type { Timed } from './wheel.ts'

/** Begins one re-check of a suspicion; `over` is to be called when it has ended by itself. */
export type Recheck = (round: number, timeoutMs: Milliseconds, over: () => void) => Look

const inNoHurryMs: Milliseconds = 500

/** The re-checks of one round: one every so often, none waiting for another. */
export class Suspicion implements Timed {
  at: Milliseconds = 0
  previous: Timed | undefined = undefined
  next: Timed | undefined = undefined
  readonly #time: FairTime
  readonly #round: number
  readonly #rules: HealthRules
  readonly #recheck: Recheck
  /** Those under way. While our network is down, no round ends: what is over must not pile up. */
  readonly #looks = new Set<Look>()
  readonly #since: Milliseconds
  /** Re-checks that have to be made again. */
  #missing = 0
  #begun = 0

  constructor(round: number, rules: HealthRules, time: FairTime, recheck: Recheck) {
    this.#round = round
    this.#rules = rules
    this.#time = time
    this.#recheck = recheck
    this.#since = time.now
  }

  /** The first re-check begins within this call. */
  start(): void {
    this.ring()
  }

  ring(): void {
    const { rechecks, recheckEveryMs, recheckTimeoutMs } = this.#rules
    if (this.#begun >= rechecks) this.#missing--
    this.#begun++
    // Planned before it begins: what begins may be the end of this suspicion.
    if (this.#begun < rechecks) this.#time.plan(this, this.#since + this.#begun * recheckEveryMs)
    else if (this.#missing > 0) this.#planMissing()
    let look: Look | undefined
    // It may be over before we have it.
    let isOver = false
    look = this.#recheck(this.#round, recheckTimeoutMs, () => {
      isOver = true
      if (look !== undefined) this.#looks.delete(look)
    })
    if (!isOver) this.#looks.add(look)
  }

  /** A re-check told nothing: it is made again, in no hurry. */
  again(): void {
    this.#missing++
    if (this.next === undefined) this.#planMissing()
  }

  /** Calls off what is left of it. */
  end(): void {
    this.#time.callOff(this)
    for (const look of this.#looks) look.cancel()
  }

  #planMissing(): void {
    this.#time.plan(this, this.#time.now + inNoHurryMs)
  }
}
