import type { Cursor, DepartureReason, InstanceName, InstanceSet, ServiceName } from '@portolan/core'
import type { Change, Reading } from '../store/store.ts'
import {
  type CausesRecord,
  type DepartedRecord,
  decode,
  departedKey,
  type InstanceRecord,
  keyOf,
  type OverrideRecord,
  parseKey,
} from './records.ts'
import { ServiceState } from './service-state.ts'
import type { Slot } from './slot.ts'

/** Who wants to know what a change did: the views, the leases, the counters. */
export interface StateListener {
  /** Something of this service is new; `urgent` = an instance left or got a cause. */
  touched(service: ServiceState, urgent: boolean): void
  /** An instance left, for the reason that its departing commit gave. */
  departed(slot: Slot, reason: DepartureReason): void
  /** A commit has touched what is known of this id. */
  changed(slot: Slot): void
  /** Whether a service must be kept in mind although nothing is left of it. */
  isWatched(service: ServiceState): boolean
}

/**
 * The registry's memory, built from the store's changes alone: whoever applies the same changes in the same order
 * has the same memory. Nothing in here decides or waits.
 */
export class RegistryState {
  readonly services = new Map<string, ServiceState>()
  /** Instances by whatever holds them: a session's name, or a server run's. */
  readonly #byHolder = new Map<string, Set<Slot>>()
  readonly #byOwner = new Map<string, number>()
  readonly #listener: StateListener
  /** What this process is writing, by key: when the store gives it back, it need not be read again. */
  readonly #written = new Map<string, { readonly value: string; readonly record: InstanceRecord }>()
  #cursor: Cursor
  /** Sets of services that nobody has ever registered in are as of this revision. */
  #floor: number

  constructor(start: Cursor, listener: StateListener) {
    this.#cursor = start
    this.#floor = start.revision
    this.#listener = listener
  }

  get cursor(): Cursor {
    return this.#cursor
  }

  service(name: ServiceName): ServiceState {
    const key = `${name.namespace}/${name.service}`
    const known = this.services.get(key)
    if (known !== undefined) return known
    const service = new ServiceState({ namespace: name.namespace, service: name.service }, this.#floor)
    this.services.set(key, service)
    return service
  }

  /** Undefined where nothing was ever said of the service, or all is forgotten again. */
  known(name: ServiceName): ServiceState | undefined {
    return this.services.get(`${name.namespace}/${name.service}`)
  }

  /** The service's newest set; an empty one where nobody is registered. */
  set(name: ServiceName): InstanceSet {
    const { epoch } = this.#cursor
    const known = this.known(name)
    if (known !== undefined) return known.set(epoch)
    const { namespace, service } = name
    return { namespace, service, cursor: { epoch, revision: this.#floor }, instances: [] }
  }

  slot(name: InstanceName): Slot | undefined {
    return this.known(name)?.slots.get(name.id)
  }

  heldBy(holder: string): ReadonlySet<Slot> {
    return this.#byHolder.get(holder) ?? nobody
  }

  countOf(owner: string): number {
    return this.#byOwner.get(owner) ?? 0
  }

  /** Drops a service of which nothing is left. Its revision lives on in the floor, so that none goes back. */
  forget(service: ServiceState): void {
    if (service.slots.size > 0 || this.#listener.isWatched(service)) return
    this.#floor = Math.max(this.#floor, service.revision)
    this.services.delete(`${service.name.namespace}/${service.name.service}`)
  }

  /** Announces what is about to be committed; `value` encodes `record`. */
  expect(key: string, value: string, record: InstanceRecord): void {
    this.#written.set(key, { value, record })
  }

  /** It was not committed. */
  expectNoMore(key: string): void {
    this.#written.delete(key)
  }

  apply(change: Change): void {
    const touched: Touched = new Map()
    let reasons: ReadonlyMap<string, DepartureReason> | undefined
    for (const { key, value } of change.events) {
      if (key === departedKey && value !== undefined) reasons = readReasons(value)
      else this.#store(key, value, change.revision, touched)
    }
    this.#cursor = { epoch: this.#cursor.epoch, revision: change.revision }
    if (touched.size > 0) this.#refresh(touched, change.revision, reasons)
  }

  /** Takes over a whole reading of the store, at the start or when its watch had lost the thread. */
  load({ cursor, entries }: Reading): void {
    this.#cursor = cursor
    this.#floor = Math.max(this.#floor, cursor.revision)
    const touched: Touched = new Map()
    const present = new Set<string>()
    for (const { key, value, revision } of entries) {
      present.add(key)
      if (this.#revisionOf(key) !== revision) this.#store(key, value, revision, touched)
    }
    for (const slot of this.slots()) {
      for (const kind of ['instances', 'causes', 'overrides'] as const) {
        const key = keyOf(kind, slot.name)
        if (this.#revisionOf(key) > 0 && !present.has(key)) this.#store(key, undefined, 0, touched)
      }
    }
    this.#refresh(touched, cursor.revision, undefined)
  }

  *slots(): Iterable<Slot> {
    for (const service of this.services.values()) yield* service.slots.values()
  }

  /** The revision that wrote a key last, as far as this memory knows; 0 = it is absent. */
  #revisionOf(key: string): number {
    const parsed = parseKey(key)
    const slot = parsed === undefined ? undefined : this.slot(parsed.name)
    if (parsed === undefined || slot === undefined) return 0
    return { instances: slot.record, causes: slot.causes, overrides: slot.override }[parsed.kind].revision
  }

  #store(key: string, value: string | undefined, revision: number, touched: Touched): void {
    const parsed = parseKey(key)
    if (parsed === undefined) return
    const service = this.service(parsed.name)
    const slot = service.slot(parsed.name.id)
    const stored = value === undefined ? 0 : revision
    if (parsed.kind === 'instances') this.#replace(slot, key, value, stored)
    else if (parsed.kind === 'causes')
      slot.causes = { value: read<CausesRecord>(key, value), revision: stored }
    else slot.override = { value: read<OverrideRecord>(key, value), revision: stored }
    touched.set(slot, service)
  }

  #replace(slot: Slot, key: string, value: string | undefined, revision: number): void {
    this.#index(slot, -1)
    const written = this.#written.get(key)
    const isOurs = written !== undefined && written.value === value
    if (isOurs) this.#written.delete(key)
    slot.record = { value: isOurs ? written.record : read<InstanceRecord>(key, value), revision }
    this.#index(slot, 1)
  }

  #index(slot: Slot, step: 1 | -1): void {
    const record = slot.record.value
    if (record === undefined) return
    const { owner } = record.instance
    const count = this.countOf(owner) + step
    if (count > 0) this.#byOwner.set(owner, count)
    else this.#byOwner.delete(owner)
    for (const holder of [record.held.session, record.held.process]) {
      if (holder === undefined) continue
      const slots = this.#byHolder.get(holder) ?? new Set()
      if (step > 0) slots.add(slot)
      else slots.delete(slot)
      if (slots.size > 0) this.#byHolder.set(holder, slots)
      else this.#byHolder.delete(holder)
    }
  }

  #refresh(
    touched: Touched,
    revision: number,
    reasons: ReadonlyMap<string, DepartureReason> | undefined,
  ): void {
    const news = new Map<ServiceState, boolean>()
    for (const [slot, service] of touched) {
      const reason = reasons?.get(keyOf('instances', slot.name)) ?? 'removed'
      const wasThere = slot.instance !== undefined
      const step = service.refresh(slot, revision, reason)
      if (step.news) news.set(service, step.bad || news.get(service) === true)
      if (wasThere && slot.instance === undefined) this.#listener.departed(slot, reason)
      this.#listener.changed(slot)
    }
    for (const [service, urgent] of news) this.#listener.touched(service, urgent)
    for (const service of touched.values()) this.forget(service)
  }
}

/** Slots that a change has touched, with the service of each. */
type Touched = Map<Slot, ServiceState>

const nobody: ReadonlySet<Slot> = new Set()

function read<Record>(key: string, value: string | undefined): Record | undefined {
  return value === undefined ? undefined : decode<Record>(key, value)
}

function readReasons(value: string): ReadonlyMap<string, DepartureReason> {
  return new Map(
    decode<DepartedRecord>(departedKey, value) as readonly (readonly [string, DepartureReason])[],
  )
}
