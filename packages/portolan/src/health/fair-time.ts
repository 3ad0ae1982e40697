import type { Clock, Milliseconds } from '@portolan/core'
import type { Cancel, Timers } from '../registry/timers.ts'
import { DueList, type Timed, Wheel } from './wheel.ts'

export interface FairTimeParts {
  readonly clock: Clock
  readonly timers: Timers
  /** Our own lateness, in milliseconds, that was not held against anybody. */
  readonly onLag: (ms: Milliseconds) => void
  /** Something that rang has thrown: a fault of ours. */
  readonly onFault: (thrown: unknown) => void
}

/** The wheel turns so often while anything is planned. */
export const tickMs: Milliseconds = 10

/** With nothing due and nobody under way, it sleeps for so many ticks: each wake costs more than a check. */
const longestSleep = 25

/** Lateness up to this is a timer's usual coarseness. */
const usualLagMs = tickMs

/**
 * Time that stands still while our own event loop does, in whole milliseconds, and the one timer for everything that
 * is due in it. What we were too busy to read is not held against the one who sent it: deadlines move by our own
 * lateness, and before anything rings, the sockets that are ready are read.
 */
export class FairTime {
  readonly #parts: FairTimeParts
  readonly #start: Milliseconds
  readonly #wheel = new Wheel(tickMs, 0)
  readonly #due = new DueList()
  #lag = 0
  #newest = 0
  #attentions = 0
  /** When the timer should fire, on the parts' clock; undefined while nothing is planned. */
  #plannedAt: Milliseconds | undefined
  #cancel: Cancel = () => {}
  #isClosed = false

  constructor(parts: FairTimeParts) {
    this.#parts = parts
    this.#start = parts.clock.now()
  }

  /** From 0 on, whole; never less than before. */
  get now(): Milliseconds {
    // What a tick's usual lateness let pass is taken back when it turns out to be late: until then, time stands still.
    this.#newest = Math.max(this.#newest, Math.floor(this.#fair(this.#parts.clock.now())))
    return this.#newest
  }

  /** From 0 on, whole, and never standing still: for when something happened, and not for what follows from it. */
  get real(): Milliseconds {
    return Math.floor(this.#parts.clock.now() - this.#start)
  }

  /** Everything planned: checks, and the deadlines of probes under way. */
  get planned(): number {
    return this.#wheel.size
  }

  /** Rings once, at `at` or up to a tick later. What is planned already is planned anew. */
  plan(timed: Timed, at: Milliseconds): void {
    if (this.#isClosed) return
    this.#wheel.plan(timed, at)
    if (this.#plannedAt === undefined) this.#arm(this.#parts.clock.now())
    else if (this.#toFair(this.#plannedAt) >= timed.at + tickMs) this.#wakeSooner()
  }

  /** Something is under way that has a deadline: until `relax`, our own lateness is measured every tick. */
  attend(): void {
    if (this.#attentions++ === 0) this.#wakeSooner()
  }

  relax(): void {
    this.#attentions--
  }

  callOff(timed: Timed): void {
    this.#wheel.callOff(timed)
  }

  close(): void {
    this.#isClosed = true
    this.#plannedAt = undefined
    this.#cancel()
  }

  /** An overdue tick stops the time at once, not only when the tick comes and finds itself late. */
  #fair(real: Milliseconds): Milliseconds {
    const late = this.#plannedAt === undefined ? 0 : real - this.#plannedAt
    return real - this.#start - this.#lag - (late > usualLagMs ? late : 0)
  }

  #arm(from: Milliseconds): void {
    const ticks = this.#attentions > 0 ? 1 : this.#wheel.ticksToNext(longestSleep)
    this.#wake(from + ticks * tickMs)
  }

  #wake(at: Milliseconds): void {
    this.#plannedAt = at
    // A timer takes whole milliseconds and rounds down: it must not come early, and need not.
    const wait = Math.max(1, Math.ceil(at - this.#parts.clock.now()))
    this.#cancel = this.#parts.timers.after(wait, () => this.#tick())
  }

  /** At the next tick, where a longer sleep was planned. An overdue tick stays as it is: it knows how late we are. */
  #wakeSooner(): void {
    const now = this.#parts.clock.now()
    const planned = this.#plannedAt
    if (planned === undefined || planned - now <= tickMs) return
    this.#cancel()
    this.#wake(planned - Math.floor((planned - now) / tickMs) * tickMs)
  }

  #tick(): void {
    const planned = this.#plannedAt
    if (planned === undefined) return
    const real = this.#parts.clock.now()
    const late = real - planned
    if (late > usualLagMs) {
      this.#lag += late
      this.#parts.onLag(late)
    }
    this.#wheel.collect(this.#toFair(real), this.#due)
    // From now on, the time runs again. In step with the tick before, as long as we are in time ourselves.
    this.#arm(late > usualLagMs ? real : planned)
    if (!this.#due.isEmpty) this.#parts.timers.after(0, () => this.#ring())
    else if (this.#wheel.size === 0) this.#rest()
  }

  #toFair(real: Milliseconds): Milliseconds {
    return Math.floor(real - this.#start - this.#lag)
  }

  #ring(): void {
    while (!this.#due.isEmpty && !this.#isClosed) {
      try {
        this.#wheel.ring(this.#due, this.now)
      } catch (thrown) {
        this.#parts.onFault(thrown)
      }
    }
    if (this.#wheel.size === 0) this.#rest()
  }

  #rest(): void {
    this.#plannedAt = undefined
    this.#cancel()
  }
}
