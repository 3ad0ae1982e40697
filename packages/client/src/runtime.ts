import type { Clock, Milliseconds, Random } from '@portolan/core'
import type { Dial } from './session/wire.ts'

/** Ends a timer; calling it again, or after the timer fired, does nothing. */
export type Cancel = () => void

/**
 * Timers as a parameter. A `background` timer never keeps a process alive; the others do, because somebody waits
 * for what they will do.
 */
export interface Timers {
  after(ms: Milliseconds, run: () => void, kind?: 'background'): Cancel
}

/** The outside world of this package: clock, dice, timers and sockets. Tests hand in others. */
export interface Runtime {
  readonly clock: Clock
  readonly random: Random
  readonly timers: Timers
  readonly dial: Dial
}
