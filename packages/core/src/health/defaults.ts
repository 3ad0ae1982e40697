import type { Milliseconds } from '../time/clock.ts'

/**
 * How fast failures are noticed and how slowly they are forgiven: the one table of defaults (sessions' pings have
 * theirs beside their schedule).
 */
export interface HealthRules {
  /** A probe unanswered for so long makes its instance suspect, long before the probe's own time-out. */
  readonly suspectAfterMs: Milliseconds
  /** A suspect is looked at again so many times … */
  readonly rechecks: number
  /** … one every so often, none waiting for another … */
  readonly recheckEveryMs: Milliseconds
  /** … each for so long, and is out when all fail. */
  readonly recheckTimeoutMs: Milliseconds
}

export const healthRules: HealthRules = {
  suspectAfterMs: 200,
  rechecks: 4,
  recheckEveryMs: 50,
  recheckTimeoutMs: 200,
}

/** Of every check that does not say otherwise. */
export const checkDefaults = {
  intervalMs: 1000,
  timeoutMs: 500,
  /** Of scripts: a program takes its time to start alone. */
  scriptTimeoutMs: 5000,
  rise: 2,
  /** Of `ttl`: as one report takes it out, one is enough to come back. */
  ttlRise: 1,
  degradedWeight: 0.5,
} as const

/** The shortest interval that a check may ask for. */
export const shortestIntervalMs: Milliseconds = 100
