import type { Milliseconds } from '@portolan/core'
import { type Expiring, noDeadline } from './deadlines.ts'
import { timeoutField } from './filters/deadline.ts'
import type { Held } from './held.ts'
import type { PathContext } from './path-context.ts'

/**
 * The time that one request has, looked at by the coarse sweep. It ends when both clocks say so: never too early, and when our
 * own loop was late, only after whatever came meanwhile has been read.
 */
export class Countdown implements Expiring {
  deadline = noDeadline
  readonly #path: PathContext
  readonly #over: () => void
  #startedAt: Milliseconds = 0
  #endsAt: Milliseconds = noDeadline

  constructor(path: PathContext, over: () => void) {
    this.#path = path
    this.#over = over
  }

  get isRunning(): boolean {
    return this.deadline !== noDeadline
  }

  /** @param startedAt by the gateway's clock, as `endsAt`; {@link noDeadline}: there is nothing to count */
  start(startedAt: Milliseconds, endsAt: Milliseconds): void {
    if (endsAt === noDeadline) return
    const { clock, deadlines } = this.#path
    this.#startedAt = startedAt
    this.#endsAt = endsAt
    this.deadline = deadlines.now + endsAt - clock.now()
    deadlines.add(this)
  }

  stop(): void {
    if (!this.isRunning) return
    this.deadline = noDeadline
    this.#path.deadlines.delete(this)
  }

  /** The part of its whole time that lies after `moment`. */
  shareSince(moment: Milliseconds): number {
    return (this.#endsAt - moment) / (this.#endsAt - this.#startedAt)
  }

  /** Tells in what is sent how much time is left: some has gone by since it was written. */
  tell(held: Held): void {
    if (this.isRunning) held.retime(timeoutField, this.#endsAt - this.#path.clock.now())
  }

  expire(): void {
    if (this.#path.clock.now() < this.#endsAt) return
    this.stop()
    this.#over()
  }
}
