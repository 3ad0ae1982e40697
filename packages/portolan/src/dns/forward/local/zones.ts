import { contains, type HostPort, mappedIpv4, parseIp, parseNetwork } from '@portolan/core'

export const specialDomains: ReadonlySet<string> = new Set(['localhost', 'invalid', 'test', 'local', 'onion'])

/** Reverse names of addresses that no resolver can know anything of (RFC 6303 sections 4.2 to 4.6). */
export const machineZones: ReadonlySet<string> = new Set([
  '0.in-addr.arpa',
  '127.in-addr.arpa',
  '255.255.255.255.in-addr.arpa',
  `${'0.'.repeat(32)}ip6.arpa`,
  `1.${'0.'.repeat(31)}ip6.arpa`,
  // Link-local ones, which RFC 6762 section 22.1 counts as `local`.
  '254.169.in-addr.arpa',
  ...['8', '9', 'a', 'b'].map(digit => `${digit}.e.f.ip6.arpa`),
  // Those of books.
  '2.0.192.in-addr.arpa',
  '100.51.198.in-addr.arpa',
  '113.0.203.in-addr.arpa',
  '8.b.d.0.1.0.0.2.ip6.arpa',
])

/** Reverse names of private networks (RFC 6303 sections 4.1 and 4.4, RFC 7793): public resolvers know none of them. */
export const privateZones: ReadonlySet<string> = new Set([
  '10.in-addr.arpa',
  ...range(16, 31).map(number => `${number}.172.in-addr.arpa`),
  '168.192.in-addr.arpa',
  ...range(64, 127).map(number => `${number}.100.in-addr.arpa`),
  'd.f.ip6.arpa',
])

const privateNetworks = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '169.254.0.0/16',
  '::1',
  'fc00::/7',
  'fe80::/10',
].flatMap(text => parseNetwork(text) ?? [])

/** Whether a resolver is where private networks are, and may know their reverse names. */
export function isWithin({ host }: HostPort): boolean {
  const ip = parseIp(host)
  if (ip === undefined) return false
  const address = (ip.family === 6 ? mappedIpv4(ip) : undefined) ?? ip
  return privateNetworks.some(network => contains(network, address))
}

function range(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}
