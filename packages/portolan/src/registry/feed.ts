import { type Clock, type Cursor, type Fault, isDraining, type Milliseconds, toFault } from '@portolan/core'
import { afterPush, dueAt, rested } from './coalesce.ts'
import type { RegistryMetrics } from './metrics.ts'
import { type Letting, type Picker, Pickers } from './pickers.ts'
import type { Picks, Subscriber, Subscription, ViewChange } from './registry.ts'
import type { ServiceState } from './service-state.ts'
import { incarnationOf } from './slot.ts'
import type { RegistryState } from './state.ts'
import type { Cancel, Timers } from './timers.ts'

export interface FeedParts {
  readonly clock: Clock
  readonly timers: Timers
  readonly metrics: RegistryMetrics
  /** How long a picking subscriber whose connection broke is waited for. */
  readonly resumeMs: Milliseconds
  readonly onFault: (fault: Fault) => void
}

/** One subscriber's place. It needs no queue: what it lacks follows from its place and the service's history. */
interface Place {
  readonly subscriber: Subscriber
  /** The revision of the set that it holds; undefined = it holds none. */
  at: number | undefined
  congested: boolean
  /** Undefined: it merely looks on. */
  readonly picker: Picker | undefined
}

export interface SubscribeOptions {
  readonly from: Cursor | undefined
  /** Who picks by what is told here; undefined = nobody. */
  readonly picks: Picks | undefined
}

/** Pushes one service's changes to its subscribers: in order, coalesced, without waiting for anybody. */
export class Feed {
  readonly #service: ServiceState
  readonly #state: RegistryState
  readonly #parts: FeedParts
  readonly #onIdle: () => void
  readonly #places = new Set<Place>()
  readonly #pickers: Pickers
  /** The steps to the newest revision, by where they start: those in step get the very same object. */
  readonly #steps = new Map<number | undefined, ViewChange>()
  #stepsTo = -1
  #pace = rested
  #touchedAt: Milliseconds | undefined
  #due: Milliseconds = Number.POSITIVE_INFINITY
  #cancel: Cancel | undefined

  /** @param onIdle nobody subscribes any more, and nobody who did is waited for */
  constructor(service: ServiceState, state: RegistryState, parts: FeedParts, onIdle: () => void) {
    this.#service = service
    this.#state = state
    this.#parts = parts
    this.#onIdle = () => {
      if (this.#places.size === 0 && this.#pickers.isEmpty) onIdle()
    }
    this.#pickers = new Pickers({
      timers: parts.timers,
      resumeMs: parts.resumeMs,
      look: letting => this.#look(letting),
      onEmpty: this.#onIdle,
    })
  }

  subscribe(subscriber: Subscriber, { from, picks }: SubscribeOptions): Subscription {
    const connection = {}
    const since = from === undefined ? this.#service.revision : undefined
    const picker = picks === undefined ? undefined : this.#pickers.join(picks, connection, since)
    const place: Place = { subscriber, at: this.#placeOf(from), congested: false, picker }
    this.#places.add(place)
    this.#parts.metrics.subscriptions.inc()
    this.#send(place)
    return {
      resume: () => {
        place.congested = false
        if (this.#places.has(place)) this.#send(place)
      },
      acknowledge: cursor => {
        if (cursor.epoch !== this.#state.cursor.epoch || picker === undefined) return
        this.#pickers.acknowledged(picker, cursor.revision)
      },
      idle: (id, incarnation) => {
        if (picker !== undefined) this.#pickers.idle(picker, id, incarnation)
      },
      close: how => {
        if (!this.#places.delete(place)) return
        this.#parts.metrics.subscriptions.dec()
        // Where there is no instance, nobody is sent anything either.
        if (picker !== undefined && how === 'broken' && this.#service.size > 0)
          this.#pickers.lose(picker, connection)
        else if (picker !== undefined) this.#pickers.leave(picker, connection)
        this.#onIdle()
      },
    }
  }

  touched(urgent: boolean): void {
    this.#pickers.changed()
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

  /** Resolves true when everybody who picks has let go of that run, or it is gone; false on `signal`. */
  released(letting: Letting, signal: AbortSignal): Promise<boolean> {
    return this.#pickers.released(letting, signal)
  }

  owing(letting: Letting): readonly Picker[] {
    return this.#pickers.owing(letting)
  }

  /** The process that `owner` stands for has ended. */
  ended(owner: string): void {
    this.#pickers.ended(owner)
  }

  close(): void {
    this.#cancel?.()
    this.#parts.metrics.subscriptions.dec(this.#places.size)
    this.#places.clear()
    this.#pickers.close()
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
      if (place.picker?.connection !== undefined) this.#pickers.leave(place.picker, place.picker.connection)
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

  #look({ id, incarnation }: Letting): 'draining' | 'lifted' | 'gone' {
    const slot = this.#service.slots.get(id)
    if (slot?.instance === undefined || incarnationOf(slot) !== incarnation) return 'gone'
    return isDraining(slot.instance) ? 'draining' : 'lifted'
  }
}
