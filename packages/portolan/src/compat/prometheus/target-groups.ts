import { formatHostPort, httpPort, type Instance, type Port } from '@portolan/core'
import { type Labels, labelsOf } from './labels.ts'

/** One entry of an answer to Prometheus' `http_sd`: targets that have the same labels. */
export interface TargetGroup {
  /** `HOST:PORT`, IPv6 in brackets. */
  readonly targets: readonly string[]
  readonly labels: Readonly<Labels>
}

/** Stands for every port of an instance. */
export const everyPort = 'all'

/**
 * One group for each port that is asked for, since labels tell instances and ports apart: the one that requests go to
 * where none is named (`httpPort`, or else the first), the one that has this name, or {@link everyPort}. An instance's preferred address is its target.
 */
export function targetGroups(instance: Instance, port: string | undefined): readonly TargetGroup[] {
  const [address] = instance.addresses
  if (address === undefined) return []
  return portsOf(instance, port).map(asked => ({
    targets: [formatHostPort(address, asked.number)],
    labels: labelsOf(instance, asked),
  }))
}

function portsOf({ ports }: Instance, port: string | undefined): readonly Port[] {
  if (port === everyPort) return ports
  if (port !== undefined) return ports.filter(({ name }) => name === port)
  const usual = httpPort(ports) ?? ports[0]
  return usual === undefined ? [] : [usual]
}
