import { httpPort, type Instance, type InstanceSet, type Port } from '@portolan/core'
import type { ServiceMeaning, WantedPort } from './meaning.ts'

type Wanted = Pick<ServiceMeaning, 'tag' | 'zone' | 'port'>

/** Whether it is among those that the name asks for, healthy or not. */
export function matches(instance: Instance, { tag, zone, port }: Wanted): boolean {
  if (zone !== undefined && instance.zone?.toLowerCase() !== zone) return false
  if (tag !== undefined && !instance.tags.some(own => own.toLowerCase() === tag)) return false
  return port === undefined || portOf(instance.ports, port) !== undefined
}

/** The port that is asked for: where nothing is said of it, the one for requests, or else the first. */
export function portOf(ports: readonly Port[], wanted: WantedPort | undefined): Port | undefined {
  if (wanted === undefined) return httpPort(ports) ?? ports[0]
  const { name, transport } = wanted
  const reached = portsReachedBy(ports, transport)
  if (name !== undefined) return reached.find(port => port.name.toLowerCase() === name)
  return transport === 'udp' ? reached[0] : httpPort(reached)
}

export function portsReachedBy(ports: readonly Port[], transport: WantedPort['transport']): readonly Port[] {
  return ports.filter(({ protocol }) => (protocol === 'udp') === (transport === 'udp'))
}

/**
 * Whether anybody in the set is asked for by that. Of an empty set nobody can say which tags, zones and ports its next
 * instances will have: they are not denied.
 */
export function hasMatching({ instances }: InstanceSet, wanted: Wanted): boolean {
  return instances.length === 0 || instances.some(instance => matches(instance, wanted))
}

/** By its id, in lower case: the very same one before others that differ by case. The set is ordered by id. */
export function instanceCalled({ instances }: InstanceSet, id: string): Instance | undefined {
  let low = 0
  let high = instances.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((instances[middle]?.id ?? '') < id) low = middle + 1
    else high = middle
  }
  const found = instances[low]
  if (found?.id === id) return found
  return instances.find(own => own.id.length === id.length && own.id.toLowerCase() === id)
}
