import type { HealthEvent } from './health.ts'

const kept = 32

/** The last events of one instance, the newest last. Allocated with the first. */
export class History {
  readonly #events: HealthEvent[] = []
  /** Where the oldest is, once they are `kept`. */
  #oldest = 0

  note(event: HealthEvent): void {
    if (this.#events.length < kept) {
      this.#events.push(event)
      return
    }
    this.#events[this.#oldest] = event
    this.#oldest = (this.#oldest + 1) % kept
  }

  all(): readonly HealthEvent[] {
    return [...this.#events.slice(this.#oldest), ...this.#events.slice(0, this.#oldest)]
  }
}
