import { formatCursor, type InstanceSet, type ServerMessage } from '@portolan/core'
import type { ViewChange } from '../../registry/registry.ts'
import { textFrame } from './frame.ts'

const deltas = new WeakMap<ViewChange, Buffer>()
const snapshots = new WeakMap<InstanceSet, Buffer>()

/**
 * A change as the frame that all sessions get: the registry hands the same object to all that are in step, so that
 * a thousand watchers cost one encoding. Snapshots are shared by their set, since each watcher starts with its own.
 */
export function viewFrame(change: ViewChange): Buffer {
  return change.kind === 'snapshot'
    ? remembered(snapshots, change.set, () => message(change))
    : remembered(deltas, change, () => message(change))
}

function remembered<Key extends object>(
  frames: WeakMap<Key, Buffer>,
  key: Key,
  make: () => ServerMessage,
): Buffer {
  const known = frames.get(key)
  if (known !== undefined) return known
  const made = textFrame(JSON.stringify(make()))
  frames.set(key, made)
  return made
}

function message(change: ViewChange): ServerMessage {
  const { namespace, service, cursor, instances } = change.set
  const where = { namespace, service, cursor: formatCursor(cursor) }
  if (change.kind === 'snapshot') return { type: 'snapshot', ...where, instances }
  return { type: 'delta', ...where, put: change.put, gone: change.gone }
}
