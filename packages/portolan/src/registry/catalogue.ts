import {
  type Clock,
  type Fault,
  type Milliseconds,
  type ServiceName,
  serviceChanges,
  toFault,
  type Unsubscribe,
} from '@portolan/core'
import { afterPush, dueAt, rested } from './coalesce.ts'
import { KnownServices, type Remembering } from './known-services.ts'
import type { ServicesStep } from './registry.ts'
import type { ServiceState } from './service-state.ts'
import type { Cancel, Timers } from './timers.ts'

export interface CatalogueParts {
  readonly clock: Clock
  readonly timers: Timers
  readonly remembering: Remembering
  readonly onFault: (fault: Fault) => void
}

type Receive = (step: ServicesStep) => void

/** Tells whoever wants to know which services there are. Without a watcher it has no timer. */
export class ServiceCatalogue {
  readonly #parts: CatalogueParts
  readonly #known: KnownServices
  readonly #watchers = new Set<Receive>()
  /** What the watchers were told last. */
  #told: ServicesStep = { services: [] }
  #pace = rested
  #cancelPush: Cancel | undefined
  #cancelForget: Cancel | undefined

  constructor(parts: CatalogueParts) {
    this.#parts = parts
    this.#known = new KnownServices(parts.remembering)
  }

  /** Something of this service has changed. */
  touched({ name, size }: ServiceState): void {
    const now = this.#parts.clock.now()
    if (this.#known.populated(name, size > 0, now)) this.#changed(now)
  }

  declare(names: readonly ServiceName[]): void {
    this.#known.declare(names)
    this.#changed(this.#parts.clock.now())
  }

  watch(receive: Receive): Unsubscribe {
    const own: Receive = step => receive(step)
    this.#known.forget(this.#parts.clock.now())
    // So that all are in step from here on.
    this.#push()
    this.#watchers.add(own)
    this.#forgetLater()
    this.#tell(own, { services: this.#told.services })
    return () => {
      if (this.#watchers.delete(own) && this.#watchers.size === 0) this.close()
    }
  }

  close(): void {
    this.#watchers.clear()
    this.#cancelPush?.()
    this.#cancelForget?.()
    this.#cancelPush = undefined
    this.#cancelForget = undefined
  }

  /** The first change after quiet goes out at once; those that follow wait a little, and go together. */
  #changed(now: Milliseconds): void {
    this.#known.forget(now)
    if (this.#watchers.size === 0 || this.#cancelPush !== undefined) return
    const push = () => {
      this.#pace = afterPush(this.#pace, this.#parts.clock.now())
      this.#push()
    }
    this.#cancelPush = this.#parts.timers.after(dueAt(this.#pace, now, false) - now, push)
  }

  #push(): void {
    this.#cancelPush?.()
    this.#cancelPush = undefined
    this.#forgetLater()
    const before = this.#told.services
    const services = this.#known.list
    if (services === before) return
    const step = { services, since: serviceChanges(before, services) }
    this.#told = step
    for (const watcher of this.#watchers) this.#tell(watcher, step)
  }

  #forgetLater(): void {
    const at = this.#known.forgetsAt
    this.#cancelForget?.()
    this.#cancelForget = undefined
    if (at === undefined || this.#watchers.size === 0) return
    const { clock, timers } = this.#parts
    this.#cancelForget = timers.after(Math.max(1, at - clock.now()), () => this.#changed(clock.now()))
  }

  /** A watcher that throws is told no more; the others are. */
  #tell(watcher: Receive, step: ServicesStep): void {
    try {
      watcher(step)
    } catch (thrown) {
      this.#watchers.delete(watcher)
      this.#parts.onFault(toFault(thrown))
    }
  }
}
