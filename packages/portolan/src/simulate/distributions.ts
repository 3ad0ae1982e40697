import type { Milliseconds, Random } from '@portolan/core'

/** How long something takes: a random time with a known mean. */
export interface Distribution {
  readonly meanMs: Milliseconds
  sample(random: Random): Milliseconds
}

/** Always the same. */
export function constant(meanMs: Milliseconds): Distribution {
  return { meanMs, sample: () => meanMs }
}

/** Memoryless, coefficient of variation 1: what queueing theory assumes. */
export function exponential(meanMs: Milliseconds): Distribution {
  return { meanMs, sample: random => -meanMs * Math.log(1 - random()) }
}

/**
 * Log-normal with this coefficient of variation (standard deviation / mean): few requests that take very long, as
 * services do. By Box and Muller (1958), one of the two normals: which state to keep would tie samples together.
 */
export function logNormal(meanMs: Milliseconds, cv: number): Distribution {
  const variance = Math.log(1 + cv * cv)
  const mu = Math.log(meanMs) - variance / 2
  const sigma = Math.sqrt(variance)
  return {
    meanMs,
    sample(random) {
      const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
      return Math.exp(mu + sigma * normal)
    },
  }
}
