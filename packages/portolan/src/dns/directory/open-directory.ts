import {
  type Catalogue,
  type Clock,
  type Instance,
  isDraining,
  type Milliseconds,
  type Resolver,
  type ServiceName,
  serviceChanges,
  type Unsubscribe,
  type View,
} from '@portolan/core'
import { Branches } from '../names/branches.ts'
import type { Directory, KnownService, Versioned } from './directory.ts'
import { eachChange } from './instance-changes.ts'
import { InstanceIndex } from './instance-index.ts'
import { Known } from './known.ts'
import { KnownServices } from './known-services.ts'
import { onTheWayMs } from './letting-go.ts'

export interface DirectoryParts {
  readonly resolver: Pick<Resolver, 'subscribe' | 'idle'> & Catalogue
  readonly clock: Clock
  readonly timers: DirectoryTimers
  /** For how long answers may be kept. */
  readonly ttlMs: Milliseconds
}

export interface DirectoryTimers {
  /** Runs `run` once after `ms`, unless the result is called before. */
  after(ms: Milliseconds, run: () => void): () => void
}

export interface OpenDirectory extends Directory {
  /** How many services are known. */
  readonly size: number
  /** Resolves true once it is ready, false when it is closed before. */
  whenReady(): Promise<boolean>
  /**
   * An answer goes out that was made from this source, at its present version: whoever drains is let go of when the last
   * answer that may have named it is over. To be called for every answer with records in it; it costs a look at the clock.
   */
  touched(source: Versioned): void
  /** When nobody goes by any answer from here any more, by the same clock; in the past where none went out. */
  readonly heldUntil: Milliseconds
  close(): void
}

/**
 * For so long services that the registry named first, and of which it tells nothing (it may refuse to), keep the directory
 * from being ready, from when the last of the others was told. Such a service is known and empty.
 */
const patienceMs: Milliseconds = 5000

/**
 * Knows all services from where they can be subscribed to, and picks by their sets: drains wait until the TTL of the last
 * answer that may have named the instance is over.
 */
export function openDirectory(parts: DirectoryParts): OpenDirectory {
  return new ServiceDirectory(parts)
}

class ServiceDirectory implements OpenDirectory {
  version = 0
  ready = false
  readonly #parts: DirectoryParts
  readonly #services = new KnownServices()
  readonly #instances = new InstanceIndex()
  readonly #branches = new Branches()
  readonly #waiters = new Set<(isReady: boolean) => void>()
  readonly #stopWatching: Unsubscribe
  #listed: readonly ServiceName[] = []
  #size = 0
  #stale = 0
  /** Of those that were named first: who has not been told yet. `undefined` before there is a list. */
  #awaited: Set<Known> | undefined
  /** When one of them was told last. */
  #heardAt: Milliseconds = 0
  #stopPatience: () => void = () => {}
  /** When an answer was last made from more than one service. */
  #answeredAt: Milliseconds
  /** When an answer went out last, whatever it was made from. */
  #touchedAt: Milliseconds = Number.NEGATIVE_INFINITY
  #isClosed = false

  constructor(parts: DirectoryParts) {
    this.#parts = parts
    // Whoever answered here before us may have done so until now, and its session is over.
    this.#answeredAt = parts.clock.now()
    this.#stopWatching = parts.resolver.watchServices(services => this.#list(services))
  }

  get stale(): boolean {
    return this.#stale > 0
  }

  get size(): number {
    return this.#size
  }

  service(namespace: string, service: string): KnownService | undefined {
    return this.#services.last(namespace, service)
  }

  isAbove(name: string): boolean {
    return this.#branches.has(name)
  }

  addressed(ip: string): readonly Instance[] {
    return this.#instances.addressed(ip)
  }

  hosted(host: string): readonly Instance[] {
    return this.#instances.hosted(host)
  }

  whenReady(): Promise<boolean> {
    if (this.ready || this.#isClosed) return Promise.resolve(this.ready)
    return new Promise(resolve => this.#waiters.add(resolve))
  }

  touched(source: Versioned): void {
    const now = this.#parts.clock.now()
    this.#touchedAt = now
    if (source instanceof Known) source.answeredAt = now
    else this.#answeredAt = now
  }

  get heldUntil(): Milliseconds {
    return this.#touchedAt + this.#parts.ttlMs + onTheWayMs
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#stopWatching()
    this.#stopPatience()
    for (const known of this.#services) {
      known.unsubscribe()
      known.stopLetting()
    }
    this.#settle(false)
  }

  #list(services: readonly ServiceName[]): void {
    if (this.#isClosed) return
    const { put, gone } = serviceChanges(this.#listed, services)
    this.#listed = services
    for (const name of gone) {
      const known = this.#services.get(name)
      if (known === undefined) continue
      this.#mark(known, { isListed: false })
      this.#leaveIfOver(known)
    }
    for (const name of put) {
      const known = this.#services.get(name)
      if (known === undefined) this.#enter(name)
      else this.#mark(known, { isListed: true })
    }
    if (this.#awaited !== undefined) return
    this.#awaited = new Set([...this.#services].filter(({ isTold }) => !isTold))
    this.#heardAt = this.#parts.clock.now()
    this.#waitOn()
    if (this.#awaited.size === 0) this.#becomeReady()
  }

  #waitOn(): void {
    const { clock, timers } = this.#parts
    const endOfPatience = this.#heardAt + patienceMs
    this.#stopPatience = timers.after(Math.max(1, endOfPatience - clock.now()), () => {
      if (clock.now() < this.#heardAt + patienceMs) this.#waitOn()
      else this.#becomeReady()
    })
  }

  #enter(name: ServiceName): void {
    const { resolver, ttlMs, clock } = this.#parts
    const known = new Known(name, ++this.version, ttlMs)
    this.#services.add(known)
    this.#size++
    this.#branches.put(known.set)
    this.#moveNamesakes(known)
    known.unsubscribe = resolver.subscribe(name, {
      receive: view => this.#receive(known, view),
      inFlight: ({ id }) => Number(known.letting.isHeld(id, clock.now())),
    })
  }

  /** What the registry knows no more, and nobody is left of. While somebody is left it may be the registry that errs. */
  #leaveIfOver(known: Known): void {
    if (!known.isOver) return
    known.unsubscribe()
    known.stopLetting()
    this.#services.remove(known)
    this.#branches.drop(known.name)
    this.#size--
    known.version = ++this.version
    this.#moveNamesakes(known)
    this.#heardOf(known)
  }

  /** Of services that differ by case alone one speaks for all: whoever comes or goes may change which one. */
  #moveNamesakes({ name }: Known): void {
    for (const other of this.#services.namesakes(name)) other.version = ++this.version
  }

  #receive(known: Known, view: View): void {
    // Without an epoch nobody has told anything yet.
    if (this.#isClosed || view.set.cursor.epoch === '') return
    this.#mark(known, { isStale: view.stale })
    if (view.set !== known.set) this.#take(known, view)
    known.isTold = true
    this.#heardOf(known)
    this.#leaveIfOver(known)
  }

  #take(known: Known, { set }: View): void {
    const now = this.#parts.clock.now()
    const { letting, set: before, panic: wasPanic } = known
    const answeredAt = Math.max(known.answeredAt, this.#answeredAt)
    known.take(set)
    known.version = ++this.version
    let isElsewhere = false
    eachChange(before.instances, set.instances, (was, is) => {
      this.#instances.replace(was, is)
      isElsewhere ||= was?.zone !== is?.zone
      if (is !== undefined && isDraining(is)) letting.drains(is.id, answeredAt, now)
      else if (was !== undefined) letting.forget(was.id)
    })
    if (isElsewhere) this.#branches.put(set)
    if (wasPanic && !known.panic) letting.panicked(answeredAt, now)
    this.#letGoLater(known)
  }

  #letGoLater(known: Known): void {
    const { clock, timers, resolver } = this.#parts
    known.stopLetting()
    const at = known.letting.dueAt
    if (at === undefined) return
    known.stopLetting = timers.after(Math.max(1, at - clock.now()), () => {
      for (const id of known.letting.due(clock.now())) resolver.idle({ ...known.name, id })
      this.#letGoLater(known)
    })
  }

  /** What the registry does not call a service any more can't be out of date. */
  #mark(known: Known, marks: { readonly isListed?: boolean; readonly isStale?: boolean }): void {
    const wasStale = known.isListed && known.isStale
    known.isListed = marks.isListed ?? known.isListed
    known.isStale = marks.isStale ?? known.isStale
    const isStale = known.isListed && known.isStale
    if (wasStale === isStale) return
    this.#stale += isStale ? 1 : -1
    this.version++
  }

  #heardOf(known: Known): void {
    if (this.#awaited?.delete(known) !== true) return
    this.#heardAt = this.#parts.clock.now()
    if (this.#awaited.size === 0) this.#becomeReady()
  }

  #becomeReady(): void {
    if (this.ready || this.#isClosed) return
    this.#stopPatience()
    this.ready = true
    this.version++
    this.#settle(true)
  }

  #settle(isReady: boolean): void {
    for (const waiter of this.#waiters) waiter(isReady)
    this.#waiters.clear()
  }
}
