import {
  defaultNamespace,
  eligible,
  type Instance,
  orderedById,
  type ServiceName,
  serviceKey,
} from '@portolan/core'
import { Branches } from '../../names/branches.ts'
import type { Directory, KnownService } from '../directory.ts'

interface Given {
  /** Services that are known without an instance. */
  readonly services?: readonly (string | ServiceName)[]
  readonly ready?: boolean
  readonly stale?: boolean
}

/** A directory that never changes, with everything in it that is given. */
export function givenDirectory(instances: readonly Instance[], given: Given = {}): Directory {
  const { services = [], ready = true, stale = false } = given
  const byKey = new Map<string, { name: ServiceName; members: Instance[] }>()
  const nameOf = (service: string | ServiceName): ServiceName =>
    typeof service === 'string' ? { namespace: defaultNamespace, service } : service
  for (const name of [...services.map(nameOf), ...instances]) {
    const { namespace, service } = name
    const known = byKey.get(serviceKey(name)) ?? { name: { namespace, service }, members: [] }
    byKey.set(serviceKey(name), known)
    if ('id' in name) known.members.push(name as Instance)
  }
  const branches = new Branches()
  const known = new Map<string, KnownService>()
  for (const key of [...byKey.keys()].sort()) {
    const { name, members } = byKey.get(key) ?? { name: nameOf(key), members: [] }
    const service = knownService(name, members)
    known.set(key.toLowerCase(), service)
    branches.put(service.set)
  }
  return {
    version: 1,
    ready,
    stale,
    service: (namespace, service) => known.get(serviceKey({ namespace, service })),
    isAbove: name => branches.has(name),
    addressed: ip =>
      instances.filter(({ addresses }) => addresses.some(address => address.split('%')[0] === ip)),
    hosted: host => instances.filter(instance => instance.host?.toLowerCase() === host),
  }
}

function knownService(name: ServiceName, members: readonly Instance[]): KnownService {
  const instances = orderedById(members)
  const { endpoints, panic } = eligible(instances.map(instance => ({ instance, weight: instance.weight })))
  return {
    version: 1,
    name,
    set: { ...name, cursor: { epoch: 'given', revision: 1 }, instances },
    eligible: endpoints.map(({ instance }) => instance),
    panic,
  }
}
