import { type Departure, formatCursor, type Instance } from '@portolan/core'
import type { ViewChange } from '../../registry/registry.ts'
import type { Filter } from '../http/filter.ts'

/** One event of an event stream. Data is JSON, which has no line breaks in it. */
function event(name: string, data: unknown, id?: string): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}

function deltaEvents(put: readonly Instance[], gone: readonly Departure[], cursor: string): string {
  const puts = put.map(instance => event('put', instance))
  const deletes = gone.map(departure => event('delete', departure))
  // The id comes with the last event of a change: a stream that breaks off before it is resumed before the change.
  return [...puts, ...deletes, event('synced', { cursor }, cursor)].join('')
}

function snapshotEvents(instances: readonly Instance[], cursor: string): string {
  return event('snapshot', { cursor, instances }, cursor) + event('synced', { cursor }, cursor)
}

const encoded = new WeakMap<ViewChange, string>()

/** A change as events. The same object comes to all streams that are in step, and is written down once. */
export function encodeChange(change: ViewChange): string {
  const known = encoded.get(change)
  if (known !== undefined) return known
  const cursor = formatCursor(change.set.cursor)
  const text =
    change.kind === 'snapshot'
      ? snapshotEvents(change.set.instances, cursor)
      : deltaEvents(change.put, change.gone, cursor)
  encoded.set(change, text)
  return text
}

/** A stream that shows a part of a service: what leaves the part is deleted with the reason `removed`. */
export function filteredEncoder(filter: Filter): (change: ViewChange) => string {
  let shown = new Set<string>()
  return change => {
    const cursor = formatCursor(change.set.cursor)
    if (change.kind === 'snapshot') {
      const instances = change.set.instances.filter(filter)
      shown = new Set(instances.map(({ id }) => id))
      return snapshotEvents(instances, cursor)
    }
    const put = change.put.filter(filter)
    const gone = change.gone.filter(({ id }) => shown.has(id))
    const hidden = change.put.filter(instance => !filter(instance) && shown.has(instance.id))
    for (const { id } of put) shown.add(id)
    for (const { id } of [...gone, ...hidden]) shown.delete(id)
    return deltaEvents(
      put,
      [...gone, ...hidden.map(({ id }) => ({ id, reason: 'removed' as const }))],
      cursor,
    )
  }
}
