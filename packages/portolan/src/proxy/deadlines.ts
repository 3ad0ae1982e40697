import type { Milliseconds } from '@portolan/core'

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
 */
export class Deadlines {
  now: Milliseconds = 0
  readonly #stepMs: Milliseconds
  readonly #watched = new Set<Expiring>()
  #timer: NodeJS.Timeout | undefined

  constructor(stepMs: Milliseconds) {
    this.#stepMs = stepMs
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
    for (const expiring of this.#watched) if (expiring.deadline <= this.now) expiring.expire()
  }
}
