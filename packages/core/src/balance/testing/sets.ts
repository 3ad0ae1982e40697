import type { CauseKind } from '../../instance/cause.ts'
import type { Instance } from '../../instance/instance.ts'
import { type InstanceSet, orderedById } from '../../instance/instance-set.ts'

/** An instance with nothing remarkable about it but what `changes` says. */
export function anInstance(id: string, changes: Partial<Instance> = {}): Instance {
  return {
    namespace: 'default',
    service: 'order',
    id,
    addresses: ['10.0.0.1'],
    ports: [{ name: 'http', number: 8080, protocol: 'http', tls: false }],
    weight: 1,
    tags: [],
    metadata: {},
    source: 'http',
    owner: 'test',
    incarnation: 1,
    causes: [],
    ...changes,
  }
}

/** An instance that carries one cause of each of `kinds`. */
export function anIllInstance(id: string, ...kinds: readonly CauseKind[]): Instance {
  const since = '2026-01-01T00:00:00.000Z'
  return anInstance(id, {
    causes: kinds.map(kind => ({ kind, owner: 'test', reason: 'because', since })),
  })
}

/** The instances as a set of the service `order`. */
export function aSet(instances: readonly Instance[], revision = 1): InstanceSet {
  return {
    namespace: 'default',
    service: 'order',
    cursor: { epoch: 'e', revision },
    instances: orderedById(instances),
  }
}

/** A set with one instance for each weight: `i-0`, `i-1`, … */
export function weightedSet(weights: readonly number[], revision = 1): InstanceSet {
  return aSet(
    weights.map((weight, index) => anInstance(`i-${String(index).padStart(4, '0')}`, { weight })),
    revision,
  )
}
