import type { Milliseconds, Random } from '@portolan/core'

/** When requests come: each call answers the moment of the next one, or undefined when no more come. */
export type Arrivals = (random: Random) => () => Milliseconds | undefined

/** Requests a second at a moment; undefined = from then on no more come. */
export type Rate = (now: Milliseconds) => number | undefined

/**
 * A Poisson process whose rate changes over time, by thinning (P. A. W. Lewis and G. S. Shedler, Naval Research Logistics
 * Quarterly 26(3), 1979).
 * @param most what `rate` never exceeds
 */
export function poisson(rate: Rate, most: number): Arrivals {
  return random => {
    let now = 0
    return () => {
      for (;;) {
        now -= (Math.log(1 - random()) * 1000) / most
        const wanted = rate(now)
        if (wanted === undefined) return undefined
        if (random() * most < wanted) return now
      }
    }
  }
}

/** Requests a second that never change. */
export function steady(perSecond: number): Arrivals {
  return poisson(() => perSecond, perSecond)
}

/** `perSecond`, and `factor` times that for the first `burstMs` of every `everyMs`. */
export function bursts(
  perSecond: number,
  factor: number,
  burstMs: Milliseconds,
  everyMs: Milliseconds,
): Arrivals {
  return poisson(now => (now % everyMs < burstMs ? factor * perSecond : perSecond), factor * perSecond)
}

/** At these moments, in order. */
export function listed(moments: readonly Milliseconds[]): Arrivals {
  return () => {
    let index = 0
    return () => moments[index++]
  }
}
