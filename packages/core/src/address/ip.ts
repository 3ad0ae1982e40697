/** An IP address. Both forms are plain records, and survive `structuredClone`. */
export type IpAddress = Ipv4Address | Ipv6Address

export interface Ipv4Address {
  readonly family: 4
  /** Four, each 0 to 255. */
  readonly bytes: readonly number[]
}

export interface Ipv6Address {
  readonly family: 6
  /** Eight, each 0 to 65535. */
  readonly groups: readonly number[]
  /** The zone id of a scoped address (RFC 4007): `eth0` in `fe80::1%eth0`. */
  readonly zone?: string
}

const decimalByte = /^(?:0|[1-9]\d{0,2})$/
const hexGroup = /^[0-9a-f]{1,4}$/i
// RFC 4007 leaves zones to the system; an interface's name has no such characters in it.
const zoneShape = /^[A-Za-z0-9._~:@-]{1,63}$/

/** Reads an IP literal without brackets or port: `10.0.0.5`, `::1`, `fe80::1%eth0`. `undefined` = it is none. */
export function parseIp(text: string): IpAddress | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text)
}

/** Four decimal bytes. Leading zeros are refused: some read them as octal, and 010.0.0.1 must not be two hosts. */
export function parseIpv4(text: string): Ipv4Address | undefined {
  if (text.length > 15) return undefined
  const bytes = text.split('.').map(part => (decimalByte.test(part) ? Number(part) : 256))
  return bytes.length === 4 && bytes.every(byte => byte <= 255) ? { family: 4, bytes } : undefined
}

/** RFC 4291 section 2.2: eight groups, `::` once, or six groups and a dotted IPv4 address; with or without a zone. */
export function parseIpv6(text: string): Ipv6Address | undefined {
  const percent = text.indexOf('%')
  const zone = percent < 0 ? undefined : text.slice(percent + 1)
  if (zone !== undefined && !zoneShape.test(zone)) return undefined
  const literal = percent < 0 ? text : text.slice(0, percent)
  if (literal.length > 45) return undefined

  const halves = literal.split('::')
  if (halves.length > 2) return undefined
  const compressed = halves.length === 2
  const head = parseGroups(halves[0] ?? '', !compressed)
  const tail = compressed ? parseGroups(halves[1] ?? '', true) : []
  if (head === undefined || tail === undefined) return undefined
  const missing = 8 - head.length - tail.length
  // `::` stands for at least one group (RFC 5952 section 4.2.2 forbids writing it for one; RFC 4291 lets us read it).
  if (compressed ? missing < 1 : missing !== 0) return undefined

  const groups = [...head, ...Array<number>(missing).fill(0), ...tail]
  return zone === undefined ? { family: 6, groups } : { family: 6, groups, zone }
}

/** Groups between colons; the last may be a dotted IPv4 address where the literal ends. */
function parseGroups(text: string, endsLiteral: boolean): number[] | undefined {
  if (text === '') return []
  const parts = text.split(':')
  const groups: number[] = []
  for (const [index, part] of parts.entries()) {
    if (endsLiteral && index === parts.length - 1 && part.includes('.')) {
      const dotted = parseIpv4(part)
      if (dotted === undefined) return undefined
      const [a = 0, b = 0, c = 0, d = 0] = dotted.bytes
      groups.push(a * 256 + b, c * 256 + d)
    } else {
      if (!hexGroup.test(part)) return undefined
      groups.push(Number.parseInt(part, 16))
    }
  }
  return groups
}

/** The canonical text: RFC 5952 for IPv6, with IPv4-mapped addresses in dotted form and the zone kept. */
export function formatIp(ip: IpAddress): string {
  if (ip.family === 4) return ip.bytes.join('.')
  const zone = ip.zone === undefined ? '' : `%${ip.zone}`
  const mapped = mappedIpv4(ip)
  return (mapped === undefined ? formatGroups(ip.groups) : `::ffff:${formatIp(mapped)}`) + zone
}

/** Lower case, no leading zeros, and `::` for the first longest run of two or more zero groups. */
function formatGroups(groups: readonly number[]): string {
  let runStart = 0
  let runLength = 1
  for (let start = 0; start < groups.length; start++) {
    let end = start
    while (end < groups.length && groups[end] === 0) end++
    if (end - start > runLength) {
      runStart = start
      runLength = end - start
    }
    start = Math.max(start, end - 1)
  }
  const hex = groups.map(group => group.toString(16))
  if (runLength < 2) return hex.join(':')
  return `${hex.slice(0, runStart).join(':')}::${hex.slice(runStart + runLength).join(':')}`
}

/** The one spelling of an address that is compared and stored; `undefined` when the text is no address. */
export function canonicalIp(text: string): string | undefined {
  const ip = parseIp(text)
  // IPv4 has one spelling only.
  return ip?.family === 4 ? text : ip && formatIp(ip)
}

/** The IPv4 address inside an IPv4-mapped IPv6 address (`::ffff:10.0.0.5`): what a dual-stack socket reports. */
export function mappedIpv4(ip: Ipv6Address): Ipv4Address | undefined {
  const [high = 0, low = 0] = ip.groups.slice(6)
  const isMapped = ip.groups[5] === 0xffff && ip.groups.slice(0, 5).every(group => group === 0)
  return isMapped ? { family: 4, bytes: [high >> 8, high & 255, low >> 8, low & 255] } : undefined
}
