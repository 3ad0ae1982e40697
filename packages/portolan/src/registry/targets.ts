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
  /** Where this server itself listens, its gateway too. Asked each time: some are known only once it listens. */
  readonly controlPorts: () => ReadonlySet<number>
  /** The addresses of this machine, beside loopback. Default: those of its network interfaces. */
  readonly ownAddresses?: () => ReadonlySet<string>
}

/**
 * Refuses a registration whose ports, or whose checks' ports, we must not be made to call: link-local addresses
 * (clouds serve their credentials there), our own control ports, and those of our gateway, which would call itself.
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
  const mapped = mappedIpv4(ip)
  return [ip, ...(mapped === undefined ? embeddedIpv4(ip.groups) : [mapped])]
}

/** IPv4-compatible (RFC 4291), NAT64 (RFC 6052, RFC 8215), 6to4 (RFC 3056), Teredo's server and client (RFC 4380). */
function embeddedIpv4(groups: readonly number[]): readonly IpAddress[] {
  const [a, b, c = 0, d = 0, , , g = 0, h = 0] = groups
  if (a === 0x2002) return [ipv4(b ?? 0, c)]
  if (a === 0x2001 && b === 0) return [ipv4(c, d), ipv4(g ^ 0xffff, h ^ 0xffff)]
  if (a === 0x64 && b === 0xff9b && c === 1) return localNat64(groups)
  const beforeLast = groups.slice(2, 6).every(group => group === 0)
  const isEmbedded = beforeLast && ((a === 0 && b === 0) || (a === 0x64 && b === 0xff9b))
  const [high = 0, low = 0] = groups.slice(6)
  // `::` and `::1` have this form, and are what they are.
  return isEmbedded && (high !== 0 || a !== 0) ? [ipv4(high, low)] : []
}

/**
 * 64:ff9b:1::/48 may be cut into prefixes of 48, 56, 64 and 96 bits, and each puts the address elsewhere (RFC 6052
 * section 2.2). Nobody can tell which was meant: every reading counts, but those that find nothing.
 */
function localNat64([, , , d = 0, e = 0, f = 0, g = 0, h = 0]: readonly number[]): readonly IpAddress[] {
  const middle = ((e & 255) << 8) | (f >> 8)
  const readings = [
    ipv4(d, middle),
    ipv4(((d & 255) << 8) | (e & 255), f),
    ipv4(middle, ((f & 255) << 8) | (g >> 8)),
    ipv4(g, h),
  ]
  const found = readings.filter(ip => !isUnspecified(ip))
  return found.length > 0 ? found : readings.slice(-1)
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
    `${formatHostPort(address, port)} is where this server itself listens`,
    {
      source: 'caller',
      hint,
    },
  )
}
