import type { Expiring } from '../deadlines.ts'
import type { PathContext } from '../path-context.ts'

/** Somebody who may be waited for: to take what there is for it, or to send what it has begun. */
export interface Paced {
  /** Ends it if it has been waited for since the last look, and has moved fewer bytes than this meanwhile. */
  checkPace(least: number): void
}

/**
 * Looks at all clients every half a minute: silence has deadlines, but a byte now and then would make do with them for
 * ever.
 */
export class Pace implements Expiring {
  deadline: number
  readonly #path: PathContext
  readonly #clients: Iterable<Paced>

  constructor(path: PathContext, clients: Iterable<Paced>) {
    this.#path = path
    this.#clients = clients
    this.deadline = path.deadlines.now + path.settings.paceMs
    path.deadlines.add(this)
  }

  expire(): void {
    const { deadlines, settings, limits } = this.#path
    this.deadline = deadlines.now + settings.paceMs
    const least = (limits.minRate * settings.paceMs) / 1000
    if (least > 0) for (const client of this.#clients) client.checkPace(least)
  }

  close(): void {
    this.#path.deadlines.delete(this)
  }
}
