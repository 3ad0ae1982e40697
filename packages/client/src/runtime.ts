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

/** Time and chance. */
export interface LocalRuntime {
  readonly clock: Clock
  readonly random: Random
  readonly timers: Timers
}

/** The outside world of this package: time, chance, and the way to a registry. Tests hand in others. */
export interface Runtime extends LocalRuntime {
  readonly dial: Dial
}
