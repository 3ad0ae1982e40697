import { type Instance, isPort, type Port, type PortProtocol } from '@portolan/core'

/** Where a probe goes, at every address of the instance. */
export interface Aim {
  readonly addresses: readonly string[]
  readonly port: number
  /** As the port says; false for a number that is none of the instance's ports. */
  readonly tls: boolean
}

/**
 * Finds the port of a check: by its name or number, or else the first that speaks `preferred`, or else the first that
 * is not UDP. A number that the instance has not registered is taken as it is: management ports often are not.
 * @returns text for people where there is none
 */
export function aimAt(
  { addresses, ports }: Instance,
  wanted: string | number | undefined,
  preferred?: PortProtocol,
): Aim | string {
  if (addresses.length === 0) return 'the instance has no address'
  const port = portFor(ports, wanted, preferred)
  if (typeof port === 'string') return port
  return { addresses, port: port.number, tls: port.tls }
}

function portFor(
  ports: readonly Port[],
  wanted: string | number | undefined,
  preferred: PortProtocol | undefined,
): Pick<Port, 'number' | 'tls'> | string {
  if (wanted === undefined) {
    const first = ports.find(({ protocol }) => protocol === preferred)
    const port = first ?? ports.find(({ protocol }) => protocol !== 'udp')
    return port ?? 'the instance has no port but UDP ones, which cannot be probed: use a script or ttl check'
  }
  const named = ports.filter(({ name, number }) => name === wanted || number === wanted)
  const port = named.find(({ protocol }) => protocol !== 'udp')
  if (port !== undefined) return port
  if (named.length > 0) return `port ${wanted} is UDP, which cannot be probed: use a script or ttl check`
  if (typeof wanted === 'number') {
    return isPort(wanted) ? { number: wanted, tls: false } : `${wanted} is no port: 1 to 65535`
  }
  const names = ports.slice(0, 8).map(({ name }) => name)
  return `the instance has no port named ${wanted}; it has ${names.join(', ') || 'none at all'}`
}
