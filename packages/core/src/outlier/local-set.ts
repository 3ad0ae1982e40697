import type { EjectionReason } from '../balance/tally.ts'
import type { Cause } from '../instance/cause.ts'
import type { InstanceSet } from '../instance/instance-set.ts'
import type { OutlierMachine } from './machine.ts'

/** The set as this process sees it: with a cause `outlier` of its own, at the registry's revision. */
export function localSet(set: InstanceSet, machine: OutlierMachine): InstanceSet {
  if (machine.outliers === 0) return set
  const instances = set.instances.map(instance => {
    const away = machine.awayOf(instance)
    if (away === undefined || away.standing === 'due') return instance
    return { ...instance, causes: [...instance.causes, causeOf[away.reason]] }
  })
  return { ...set, instances }
}

const causeOf: Readonly<Record<EjectionReason, Cause>> = {
  'consecutive-5xx': cause('its answers to this process were failures, one after the other'),
  refused: cause('it refused a connection from this process'),
  broken: cause('connections from this process broke or timed out, one after the other'),
  'success-rate': cause('it fails this process’s requests more often than its peers'),
  latency: cause('it answers this process far later than its peers'),
}

/** Nobody but this process sees it, and the machine knows its times: `since` says nothing. */
function cause(reason: string): Cause {
  return { kind: 'outlier', owner: 'local', reason, since: new Date(0).toISOString() }
}
