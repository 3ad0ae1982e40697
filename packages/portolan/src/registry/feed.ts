import { type Clock, type Cursor, type Fault, type Milliseconds, toFault } from '@portolan/core'
import { afterPush, dueAt, rested } from './coalesce.ts'
import type { RegistryMetrics } from './metrics.ts'
import type { Subscriber, Subscription, ViewChange } from './registry.ts'
import type { ServiceState } from './service-state.ts'
import type { RegistryState } from './state.ts'
import type { Cancel, Timers } from './timers.ts'

export interface FeedParts {
  readonly clock: Clock
  readonly timers: Timers
  readonly metrics: RegistryMetrics
  readonly onFault: (fault: Fault) => void
}

/** One subscriber's place. It needs no queue: what it lacks follows from its place and the service's history. */
interface Place {
  readonly subscriber: Subscriber
  /** The revision of the set that it holds; undefined = it holds none. */
  at: number | undefined
  congested: boolean
  /** The highest revision that it acknowledged; undefined = nobody waits for it. */
  acknowledged: number | undefined
}

interface AckWaiter {
  readonly revision: number
  readonly resolve: (all: boolean) => void
}

/** Pushes one service's changes to its subscribers: in order, coalesced, without waiting for anybody. */
export class Feed {
  readonly #service: ServiceState
  readonly #state: RegistryState
  readonly #parts: FeedParts
  readonly #places = new Set<Place>()
  readonly #waiters = new Set<AckWaiter>()
  /** The steps to the newest revision, by where they start: those in step get the very same object. */
  readonly #steps = new Map<number | undefined, ViewChange>()
  #stepsTo = -1
  #pace = rested
  #touchedAt: Milliseconds | undefined
  #due: Milliseconds = Number.POSITIVE_INFINITY
  #cancel: Cancel | undefined

  constructor(service: ServiceState, state: RegistryState, parts: FeedParts) {
    this.#service = service
    this.#state = state
    this.#parts = parts
  }

  get isIdle(): boolean {
    return this.#places.size === 0
  }

  subscribe(
    subscriber: Subscriber,
    { from, acknowledges }: { readonly from: Cursor | undefined; readonly acknowledges: boolean },
    onClose: () => void,
  ): Subscription {
    const place: Place = {
      subscriber,
      at: this.#placeOf(from),
      congested: false,
      acknowledged: acknowledges ? -1 : undefined,
    }
    this.#places.add(place)
    this.#parts.metrics.subscriptions.inc()
    this.#send(place)
    return {
      resume: () => {
        place.congested = false
        if (this.#places.has(place)) this.#send(place)
      },
      acknowledge: cursor => {
        if (cursor.epoch !== this.#state.cursor.epoch) return
        place.acknowledged = Math.max(place.acknowledged ?? -1, cursor.revision)
        this.#settleWaiters()
      },
      idle: () => {},
      close: () => {
        if (!this.#places.delete(place)) return
        this.#parts.metrics.subscriptions.dec()
        this.#settleWaiters()
        onClose()
      },
    }
  }

  touched(urgent: boolean): void {
    const now = this.#parts.clock.now()
    const due = dueAt(this.#pace, now, urgent)
    if (this.#touchedAt === undefined) this.#touchedAt = now
    else this.#parts.metrics.coalesced.inc()
    if (due >= this.#due) return
    this.#cancel?.()
    this.#due = due
    // Not within this call, even when due at once: what one commit of the store carries goes together.
    this.#cancel = this.#parts.timers.after(due - now, () => this.#push())
  }

  acknowledged(revision: number, signal: AbortSignal): Promise<boolean> {
    if (this.#areAllAt(revision)) return Promise.resolve(true)
    if (signal.aborted) return Promise.resolve(false)
    return new Promise(resolve => {
      const giveUp = (): void => {
        this.#waiters.delete(waiter)
        resolve(false)
      }
      const waiter: AckWaiter = {
        revision,
        resolve: all => {
          signal.removeEventListener('abort', giveUp)
          resolve(all)
        },
      }
      this.#waiters.add(waiter)
      signal.addEventListener('abort', giveUp, { once: true })
    })
  }

  close(): void {
    this.#cancel?.()
    this.#parts.metrics.subscriptions.dec(this.#places.size)
    this.#places.clear()
    for (const waiter of this.#waiters) waiter.resolve(false)
    this.#waiters.clear()
  }

  #push(): void {
    const { clock, metrics } = this.#parts
    const touchedAt = this.#touchedAt
    this.#cancel = undefined
    this.#due = Number.POSITIVE_INFINITY
    this.#touchedAt = undefined
    this.#pace = afterPush(this.#pace, clock.now())
    for (const place of this.#places) this.#send(place)
    if (touchedAt !== undefined) metrics.pushSeconds.observe((clock.now() - touchedAt) / 1000)
  }

  /** Sends what lies between a place and the newest set; a congested subscriber gets it when it resumes. */
  #send(place: Place): void {
    const { revision } = this.#service
    if (place.congested || place.at === revision) return
    const step = this.#stepFrom(place.at)
    place.at = revision
    if (this.#tell(place, step)) return
    place.congested = true
    this.#parts.metrics.congested.inc()
  }

  /** A subscriber that throws is told no more; the others are. */
  #tell(place: Place, step: ViewChange): boolean {
    try {
      return place.subscriber(step)
    } catch (thrown) {
      this.#places.delete(place)
      this.#parts.metrics.subscriptions.dec()
      this.#settleWaiters()
      this.#parts.onFault(toFault(thrown))
      return true
    }
  }

  #stepFrom(from: number | undefined): ViewChange {
    if (this.#stepsTo !== this.#service.revision) {
      this.#steps.clear()
      this.#stepsTo = this.#service.revision
    }
    const known = this.#steps.get(from)
    if (known !== undefined) return known
    const step = this.#buildStep(from)
    this.#steps.set(from, step)
    return step
  }

  #buildStep(from: number | undefined): ViewChange {
    const set = this.#service.set(this.#state.cursor.epoch)
    const touched = from === undefined ? undefined : this.#service.history.since(from)
    if (touched === undefined) return { kind: 'snapshot', set }
    const put = []
    const gone = []
    for (const [id, reason] of touched) {
      const instance = this.#service.slots.get(id)?.instance
      if (instance !== undefined) put.push(instance)
      else gone.push({ id, reason: reason ?? 'removed' })
    }
    return { kind: 'delta', set, put, gone }
  }

  /** Where a subscriber stands that holds the set of `from`; a place that history does not reach is none. */
  #placeOf(from: Cursor | undefined): number | undefined {
    const { cursor } = this.#state
    if (from === undefined || from.epoch !== cursor.epoch || from.revision > cursor.revision) return undefined
    // The service has not changed since: a cursor of another service, or of the store, may lie beyond its own.
    return Math.min(from.revision, this.#service.revision)
  }

  #areAllAt(revision: number): boolean {
    for (const { acknowledged } of this.#places) {
      if (acknowledged !== undefined && acknowledged < revision) return false
    }
    return true
  }

  #settleWaiters(): void {
    for (const waiter of this.#waiters) {
      if (!this.#areAllAt(waiter.revision)) continue
      this.#waiters.delete(waiter)
      waiter.resolve(true)
    }
  }
}
