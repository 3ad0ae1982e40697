import { networkInterfaces } from 'node:os'
import {
  type Check,
  contains,
  Fault,
  formatHostPort,
  formatIp,
  type IpAddress,
  isLinkLocal,
  isLoopback,
  isUnspecified,
  mappedIpv4,
  parseHostPort,
  parseIp,
  parseNetwork,
  type Registration,
} from '@portolan/core'

export interface TargetRules {
  /** `registry.allowTargets`: networks (all ports) and IP:PORT. Asked each time: it may change with the file. */
  readonly allowed: () => readonly string[]
  /** Where this server itself takes orders. Asked each time: some are known only once it listens. */
  readonly controlPorts: () => ReadonlySet<number>
  /** The addresses of this machine, beside loopback. Default: those of its network interfaces. */
  readonly ownAddresses?: () => ReadonlySet<string>
}

/**
 * Refuses a registration whose ports, or whose checks' ports, we must not be made to call: link-local addresses
 * (clouds serve their credentials there) and our own control ports.
 * @throws Fault `target_forbidden`
 */
export type TargetGuard = (registration: Registration, checks: readonly Check[] | undefined) => void

export function targetGuard(rules: TargetRules): TargetGuard {
  const { controlPorts, ownAddresses = interfaceAddresses } = rules
  const isAllowed = allowance(rules.allowed)

  return ({ addresses, ports }, checks) => {
    const numbers = ports.map(({ number }) => number)
    for (const check of checks ?? [])
      if ('port' in check && typeof check.port === 'number') numbers.push(check.port)
    const ours = controlPorts()
    const control = numbers.filter(port => ours.has(port))
    for (const address of addresses) {
      if (isOrdinary(address) && control.length === 0) continue
      const reached = reachedBy(address)
      if (reached.some(ip => isLinkLocal(ip))) {
        for (const port of numbers) if (!reached.some(ip => isAllowed(ip, port))) throw linkLocal(address)
      }
      for (const port of control) {
        if (reached.some(ip => isAllowed(ip, port))) continue
        const own = ownAddresses()
        const isOwn = (ip: IpAddress) => isLoopback(ip) || isUnspecified(ip) || own.has(withoutZone(ip))
        if (reached.some(isOwn)) throw controlPort(address, port)
      }
    }
  }
}

/** Most addresses: IPv4, and not link-local. Registrations come by the ten thousand. */
function isOrdinary(address: string): boolean {
  return !address.includes(':') && !address.startsWith('169.254.')
}

/** The address, and the IPv4 address that it leads to where it is a way of writing one. */
function reachedBy(address: string): readonly IpAddress[] {
  const ip = parseIp(address)
  if (ip === undefined) return []
  if (ip.family === 4) return [ip]
  const inner = mappedIpv4(ip) ?? embeddedIpv4(ip.groups)
  return inner === undefined ? [ip] : [ip, inner]
}

/** IPv4-compatible (RFC 4291), NAT64's well-known prefix (RFC 6052), 6to4 (RFC 3056). */
function embeddedIpv4(groups: readonly number[]): IpAddress | undefined {
  const [a, b, c] = groups
  if (a === 0x2002) return ipv4(b ?? 0, c ?? 0)
  const beforeLast = groups.slice(2, 6).every(group => group === 0)
  const isEmbedded = beforeLast && ((a === 0 && b === 0) || (a === 0x64 && b === 0xff9b))
  const [high = 0, low = 0] = groups.slice(6)
  // `::` and `::1` have this form, and are what they are.
  return isEmbedded && (high !== 0 || a !== 0) ? ipv4(high, low) : undefined
}

function ipv4(high: number, low: number): IpAddress {
  return { family: 4, bytes: [high >> 8, high & 255, low >> 8, low & 255] }
}

function withoutZone(ip: IpAddress): string {
  return formatIp(ip.family === 6 ? { family: 6, groups: ip.groups } : ip)
}

function interfaceAddresses(): ReadonlySet<string> {
  const all = Object.values(networkInterfaces()).flatMap(list => list ?? [])
  return new Set(all.flatMap(({ address }) => parseIp(address) ?? []).map(withoutZone))
}

function allowance(allowed: TargetRules['allowed']): (ip: IpAddress, port: number) => boolean {
  return (ip, port) =>
    allowed().some(text => {
      const network = parseNetwork(text)
      if (network !== undefined) return contains(network, ip)
      const place = parseHostPort(text)
      return place.port === port && (place.host === formatIp(ip) || place.host === withoutZone(ip))
    })
}

const hint = 'registry.allowTargets in the configuration names what may be registered all the same'

function linkLocal(address: string): Fault {
  return new Fault(
    'target_forbidden',
    `${address} is a link-local address, where machines keep their secrets`,
    {
      source: 'caller',
      hint,
    },
  )
}

function controlPort(address: string, port: number): Fault {
  return new Fault(
    'target_forbidden',
    `${formatHostPort(address, port)} is where this server takes its orders`,
    {
      source: 'caller',
      hint,
    },
  )
}
