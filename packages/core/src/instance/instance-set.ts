import type { Cursor } from './cursor.ts'
import type { Instance, ServiceName } from './instance.ts'

/**
 * All instances of one service at one revision: whole, immutable, and such that it survives `structuredClone`.
 * The only shape in which instances travel inside a process.
 */
export interface InstanceSet extends ServiceName {
  readonly cursor: Cursor
  /** Ordered by id. */
  readonly instances: readonly Instance[]
}

/** What is known of a service while nobody has told anything about it. */
export function emptySet(name: ServiceName): InstanceSet {
  return {
    namespace: name.namespace,
    service: name.service,
    cursor: { epoch: '', revision: 0 },
    instances: [],
  }
}

/** The instances ordered by id, as an instance set wants them. */
export function orderedById(instances: Iterable<Instance>): Instance[] {
  return [...instances].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
}
