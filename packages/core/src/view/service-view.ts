import { parseCursor } from '../instance/cursor.ts'
import type { Instance, ServiceName } from '../instance/instance.ts'
import { emptySet, orderedById } from '../instance/instance-set.ts'
import type { ServerMessage } from '../session/messages.ts'
import type { Milliseconds } from '../time/clock.ts'
import { type Leaving, planLeaving } from './leaving.ts'
import type { View } from './resolver.ts'

export type SnapshotMessage = Extract<ServerMessage, { type: 'snapshot' }>
export type DeltaMessage = Extract<ServerMessage, { type: 'delta' }>

/**
 * A subscriber's view of one service. The functions of this file are its whole life: pure, with the time as a
 * parameter; each returns the same object when nothing has changed.
 */
export interface ServiceView extends View {
  /** Members of the set that the newest snapshot lacks, without proof that they are gone; soonest first. */
  readonly leaving: readonly Leaving[]
}

/** The view before anybody has told anything. */
export function unknownView(name: ServiceName): ServiceView {
  return { set: emptySet(name), stale: true, leaving: [] }
}

/**
 * The view after a message of the registry. A snapshot replaces everything, but healthy instances that it lacks
 * leave in steps (see {@link planLeaving}): a registry that came back half empty must not empty its callers. A
 * delta of another epoch or an older revision is ignored, and so is an older snapshot of the same epoch.
 * @throws Fault `invalid_request` when the message's cursor is none
 */
export function applyMessage(
  view: ServiceView,
  message: SnapshotMessage | DeltaMessage,
  now: Milliseconds,
): ServiceView {
  return message.type === 'snapshot' ? withSnapshot(view, message, now) : withDelta(view, message, now)
}

/** The view while no registry answers: the last set, for as long as it takes; nobody leaves meanwhile. */
export function markStale(view: ServiceView): ServiceView {
  return view.stale ? view : { ...view, stale: true }
}

/**
 * The view when a registry answers again and has nothing newer to tell (a message says so by itself, see
 * {@link applyMessage}). Who was leaving when the registry fell silent gets the whole time anew.
 */
export function markFresh(view: ServiceView, now: Milliseconds): ServiceView {
  if (!view.stale) return view
  const ids = view.leaving.map(({ id }) => id)
  return { ...view, stale: false, leaving: planLeaving(ids, view.set.instances.length, now) }
}

/** The view without those whose time to leave has come. Call it at {@link nextLeave}. */
export function applyLeaves(view: ServiceView, now: Milliseconds): ServiceView {
  if (view.stale || !view.leaving.some(({ at }) => at <= now)) return view
  const due = new Set(view.leaving.filter(({ at }) => at <= now).map(({ id }) => id))
  return {
    ...view,
    set: { ...view.set, instances: view.set.instances.filter(({ id }) => !due.has(id)) },
    leaving: view.leaving.filter(({ id }) => !due.has(id)),
  }
}

/** When {@link applyLeaves} has something to do next; `undefined` = never, as things stand. */
export function nextLeave(view: ServiceView): Milliseconds | undefined {
  return view.stale ? undefined : view.leaving[0]?.at
}

/** How many instances the registry itself knows at the view's cursor: what a `compare` message carries. */
export function confirmedCount(view: ServiceView): number {
  return view.set.instances.length - view.leaving.length
}

function withSnapshot(before: ServiceView, message: SnapshotMessage, now: Milliseconds): ServiceView {
  const view = markFresh(before, now)
  const { set } = view
  const cursor = parseCursor(message.cursor)
  if (cursor.epoch === set.cursor.epoch && cursor.revision < set.cursor.revision) return view

  const present = new Set(message.instances.map(({ id }) => id))
  const waiting = view.leaving.filter(({ id }) => !present.has(id))
  const alreadyLeaving = new Set(view.leaving.map(({ id }) => id))
  const vanished = set.instances.filter(({ id }) => !present.has(id) && !alreadyLeaving.has(id))
  // A cause said before that something is wrong with it: its disappearance surprises nobody.
  const unexplained = vanished.filter(({ causes }) => causes.length === 0).map(({ id }) => id)
  const leaving = [...waiting, ...planLeaving(unexplained, set.instances.length, now)]

  const kept = new Set(leaving.map(({ id }) => id))
  const instances = [...message.instances, ...set.instances.filter(({ id }) => kept.has(id))]
  return {
    ...view,
    set: { ...set, cursor, instances: orderedById(instances) },
    leaving: leaving.sort((a, b) => a.at - b.at),
  }
}

function withDelta(before: ServiceView, message: DeltaMessage, now: Milliseconds): ServiceView {
  const { set } = before
  const cursor = parseCursor(message.cursor)
  if (cursor.epoch !== set.cursor.epoch || cursor.revision < set.cursor.revision) return before
  const view = markFresh(before, now)

  const put = new Map(message.put.map(instance => [instance.id, instance]))
  const gone = new Set(message.gone.map(({ id }) => id))
  const touched = ({ id }: { readonly id: string }) => put.has(id) || gone.has(id)
  return {
    ...view,
    set: { ...set, cursor, instances: merged(set.instances, put, gone) },
    leaving: view.leaving.some(touched) ? view.leaving.filter(entry => !touched(entry)) : view.leaving,
  }
}

/** Both inputs in one pass, since a service of thousands changes one instance at a time. */
function merged(
  instances: readonly Instance[],
  put: ReadonlyMap<string, Instance>,
  gone: ReadonlySet<string>,
): readonly Instance[] {
  const arriving = orderedById(put.values())
  const result: Instance[] = []
  let next = 0
  for (const instance of instances) {
    for (; isBefore(arriving[next], instance.id); next++) push(result, arriving[next])
    if (!put.has(instance.id) && !gone.has(instance.id)) result.push(instance)
  }
  for (; next < arriving.length; next++) push(result, arriving[next])
  return result
}

function isBefore(instance: Instance | undefined, id: string): boolean {
  return instance !== undefined && instance.id <= id
}

function push(result: Instance[], instance: Instance | undefined): void {
  if (instance !== undefined) result.push(instance)
}
