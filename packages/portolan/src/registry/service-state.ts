import {
  type Cursor,
  type DepartureReason,
  type Instance,
  type InstanceSet,
  isHealthy,
  orderedById,
  type ServiceName,
} from '@portolan/core'
import { History } from './history.ts'
import { emptySlot, instanceOf, isBadNews, isEmpty, type Slot } from './slot.ts'

/** What the registry knows of one service: its slots, the newest set, and which instances changed when. */
export class ServiceState {
  readonly name: ServiceName
  readonly slots = new Map<string, Slot>()
  readonly history: History
  /** The revision of the newest change. */
  revision: number
  /** Registered instances; `slots` may hold more, for overrides that outlive a registration. */
  size = 0
  healthy = 0
  #set: InstanceSet | undefined
  /** Ids that changed since `#set` was built. */
  readonly #unbuilt = new Set<string>()

  /** Nothing is known of what was before `revision`. */
  constructor(name: ServiceName, revision: number) {
    this.name = name
    this.revision = revision
    this.history = new History(revision)
  }

  slot(id: string): Slot {
    const known = this.slots.get(id)
    if (known !== undefined) return known
    const slot = emptySlot({ namespace: this.name.namespace, service: this.name.service, id })
    this.slots.set(id, slot)
    return slot
  }

  /** Derives a slot's instance anew. Answers whether that is news to anybody, and whether it is bad news. */
  refresh(slot: Slot, revision: number, reason: DepartureReason): { news: boolean; bad: boolean } {
    const before = slot.instance
    const after = instanceOf(slot)
    if (isEmpty(slot)) this.slots.delete(slot.name.id)
    if (before === undefined && after === undefined) return { news: false, bad: false }
    slot.instance = after
    this.size += Number(after !== undefined) - Number(before !== undefined)
    this.healthy += healthOf(after) - healthOf(before)
    this.revision = revision
    if (this.#set !== undefined) this.#unbuilt.add(slot.name.id)
    this.history.note(revision, slot.name.id, after === undefined ? reason : undefined)
    this.history.trim(this.size)
    return { news: true, bad: isBadNews(before, after) }
  }

  /** The newest set: built when somebody asks for it, from the one before. */
  set(epoch: string): InstanceSet {
    const known = this.#set
    if (known !== undefined && known.cursor.revision === this.revision) return known
    const instances = known === undefined ? this.#all() : patched(known.instances, this.#unbuilt, this.slots)
    const cursor: Cursor = { epoch, revision: this.revision }
    const set = { namespace: this.name.namespace, service: this.name.service, cursor, instances }
    this.#unbuilt.clear()
    this.#set = set
    return set
  }

  #all(): readonly Instance[] {
    const all: Instance[] = []
    for (const { instance } of this.slots.values()) if (instance !== undefined) all.push(instance)
    return orderedById(all)
  }
}

function healthOf(instance: Instance | undefined): number {
  return instance !== undefined && isHealthy(instance) ? 1 : 0
}

/** `instances` (ordered by id) with the changed ones replaced, added or left out: one walk, k binary searches. */
function patched(
  instances: readonly Instance[],
  changed: Iterable<string>,
  slots: ReadonlyMap<string, Slot>,
): readonly Instance[] {
  const result: Instance[] = []
  let from = 0
  for (const id of [...changed].sort(byCode)) {
    const to = lowerBound(instances, id, from)
    for (let index = from; index < to; index++) result.push(instances[index] as Instance)
    from = instances[to]?.id === id ? to + 1 : to
    const instance = slots.get(id)?.instance
    if (instance !== undefined) result.push(instance)
  }
  for (let index = from; index < instances.length; index++) result.push(instances[index] as Instance)
  return result
}

/** As `orderedById` compares. */
function byCode(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** The first index, `from` or later, whose id is not below `id`. */
function lowerBound(instances: readonly Instance[], id: string, from: number): number {
  let low = from
  let high = instances.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((instances[middle]?.id ?? '') < id) low = middle + 1
    else high = middle
  }
  return low
}
