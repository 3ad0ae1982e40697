import type { Clock, Milliseconds } from '@portolan/core'

/** Something that must not go on beyond `deadline` (in the time of its {@link Deadlines}). */
export interface Expiring {
  readonly deadline: Milliseconds
  expire(): void
}

/** The deadline of what may take for ever. */
export const noDeadline: Milliseconds = Number.POSITIVE_INFINITY

/**
 * One coarse timer for all deadlines of a gateway: setting one is a store to a field. Time here advances by one step a
 * sweep, however late the sweep comes: if our own loop was busy or the process stopped, nobody else pays for it.
 *
 * `now` is when the last sweep was, so that up to a step more has gone by: what is to have all of its time ends at
 * {@link Deadlines.in}, or at {@link Deadlines.closelyIn}.
 */
export class Deadlines {
  now: Milliseconds = 0
  readonly #stepMs: Milliseconds
  readonly #clock: Clock | undefined
  #sweptAt: Milliseconds
  readonly #watched = new Set<Expiring>()
  #timer: NodeJS.Timeout | undefined

  /** @param clock for {@link Deadlines.closelyIn}; absent: that goes by steps as well */
  constructor(stepMs: Milliseconds, clock?: Clock) {
    this.#stepMs = stepMs
    this.#clock = clock
    this.#sweptAt = clock?.now() ?? 0
  }

  /** The deadline of what may take `ms` from now on: never early, and a step late at most where `ms` is whole steps. */
  in(ms: Milliseconds): Milliseconds {
    return this.now + this.#stepMs + ms
  }

  /** The same, a step late at most whatever `ms` is, for the price of a look at the clock. */
  closelyIn(ms: Milliseconds): Milliseconds {
    if (this.#clock === undefined) return this.in(ms)
    // One more, as timers count whole milliseconds.
    const gone = this.#clock.now() - this.#sweptAt + 1
    return this.now + Math.min(this.#stepMs, gone) + ms
  }

  open(): void {
    this.#timer ??= setInterval(() => this.sweep(), this.#stepMs)
  }

  close(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  add(expiring: Expiring): void {
    this.#watched.add(expiring)
  }

  delete(expiring: Expiring): void {
    this.#watched.delete(expiring)
  }

  sweep(): void {
    this.now += this.#stepMs
    if (this.#clock !== undefined) this.#sweptAt = this.#clock.now()
    for (const expiring of this.#watched) if (expiring.deadline <= this.now) expiring.expire()
  }
}
