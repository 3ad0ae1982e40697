import type { Milliseconds } from '@portolan/core'

/** Calls a timer off; calling it again, or after it ran, does nothing. */
export type Cancel = () => void

/** What questions wait with; a parameter, so that everything that waits runs in virtual time. */
export interface Timers {
  /** Runs `run` once after `ms`. */
  after(ms: Milliseconds, run: () => void): Cancel
}

export const realTimers: Timers = {
  after(ms, run) {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}
