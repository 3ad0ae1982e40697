import type { Milliseconds } from '@portolan/core'
import type { UpstreamHealth } from './health.ts'

/** An upstream that says nothing is asked so often for one answer: packets get lost. */
const mostTries = 3

export interface Step {
  /** Its place in the list of upstreams. */
  readonly upstream: number
  /** When this much time has passed without an answer, the next step is due; this one may still get its answer. */
  readonly patienceMs: Milliseconds
  /** It is to show whether the upstream is back while another one is sure to be there: the next step is due at once. */
  readonly trial: boolean
}

/**
 * Who is asked next for one answer: in the order of the configuration, those that are in before those that are out, and
 * nobody a second time before everybody once. Who has answered, however badly, is not asked again.
 */
export class Course {
  readonly #healths: readonly UpstreamHealth[]
  readonly #tries: number[]
  readonly #done = new Set<number>()
  #begun = false

  constructor(healths: readonly UpstreamHealth[]) {
    this.#healths = healths
    this.#tries = healths.map(() => 0)
  }

  next(now: Milliseconds): Step | undefined {
    const trial = this.#begun ? undefined : this.#trial(now)
    this.#begun = true
    if (trial !== undefined) return trial
    const upstream = this.#best(now)
    return upstream === undefined ? undefined : this.#step(upstream, false)
  }

  /** It will not say more. */
  done(upstream: number): void {
    this.#done.add(upstream)
  }

  #trial(now: Milliseconds): Step | undefined {
    const standings = this.#healths.map(health => health.standing(now))
    const upstream = standings.indexOf('trial')
    if (upstream < 0) return undefined
    this.#healths[upstream]?.beginTrial(now)
    return this.#step(upstream, standings.includes('in'))
  }

  #best(now: Milliseconds): number | undefined {
    let best: number | undefined
    let least = Number.POSITIVE_INFINITY
    for (const [upstream, health] of this.#healths.entries()) {
      const tries = this.#tries[upstream] ?? 0
      if (tries >= mostTries || this.#done.has(upstream)) continue
      const rank = tries + (health.standing(now) === 'in' ? 0 : 1)
      if (rank >= least) continue
      best = upstream
      least = rank
    }
    return best
  }

  #step(upstream: number, trial: boolean): Step {
    const tried = this.#tries[upstream] ?? 0
    this.#tries[upstream] = tried + 1
    const patienceMs = this.#healths[upstream]?.patienceMs(tried) ?? 0
    return { upstream, patienceMs, trial }
  }
}
