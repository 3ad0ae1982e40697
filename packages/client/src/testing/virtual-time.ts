import type { Clock, Milliseconds } from '@portolan/core'
import type { Cancel, Timers } from '../runtime.ts'

interface Timer {
  readonly at: Milliseconds
  readonly run: () => void
}

/** A clock and timers that stand still until a test moves them. */
export class VirtualTime implements Clock, Timers {
  #now = 0
  readonly #timers = new Set<Timer>()

  now(): Milliseconds {
    return this.#now
  }

  after(ms: Milliseconds, run: () => void): Cancel {
    const timer: Timer = { at: this.#now + ms, run }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** Timers that have not fired. */
  get pending(): number {
    return this.#timers.size
  }

  /** Moves on, firing what becomes due in the order of its time. */
  advance(ms: Milliseconds): void {
    const end = this.#now + ms
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#timers.delete(next)
      this.#now = next.at
      next.run()
    }
    this.#now = end
  }

  #next(end: Milliseconds): Timer | undefined {
    let soonest: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.at <= end && (soonest === undefined || timer.at < soonest.at)) soonest = timer
    }
    return soonest
  }
}
