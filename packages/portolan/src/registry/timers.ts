import type { Milliseconds } from '@portolan/core'

/** Calls a timer off; calling it again, or after it ran, does nothing. */
export type Cancel = () => void

/** What the registry waits with; a parameter, so that its policies run in virtual time. */
export interface Timers {
  /** Runs `run` once after `ms`; 0 = as soon as the sockets that are ready now have been read. */
  after(ms: Milliseconds, run: () => void): Cancel
  /** The time of day, for people: ISO 8601 in UTC. */
  timeOfDay(): string
}

export const realTimers: Timers = {
  after(ms, run) {
    if (ms <= 0) {
      const immediate = setImmediate(run)
      return () => clearImmediate(immediate)
    }
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
  timeOfDay: () => new Date().toISOString(),
}
