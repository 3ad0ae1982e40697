import { type IpAddress, parseIp } from './ip.ts'

/** A block of addresses (RFC 4632, RFC 4291 section 2.3). Its zone, if any, does not count. */
export interface Network {
  readonly address: IpAddress
  /** How many leading bits all of its addresses share: 0 to 32, or to 128. */
  readonly bits: number
}

/** Reads `10.0.0.0/8`, `fd00::/8`, or one address alone: `192.0.2.7`. `undefined` = it is none. */
export function parseNetwork(text: string): Network | undefined {
  const [literal = '', length, ...rest] = text.split('/')
  const address = parseIp(literal)
  if (address === undefined || rest.length > 0) return undefined
  const most = address.family === 4 ? 32 : 128
  if (length === undefined) return { address, bits: most }
  const bits = /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN
  return bits <= most ? { address, bits } : undefined
}

/** Whether `ip` is one of the network's. Families differ: a mapped IPv4 address is an IPv6 one here. */
export function contains({ address, bits }: Network, ip: IpAddress): boolean {
  if (address.family !== ip.family) return false
  const width = address.family === 4 ? 8 : 16
  const theirs = partsOf(ip)
  return partsOf(address).every((part, index) => {
    const shared = Math.min(width, Math.max(0, bits - index * width))
    const mask = (2 ** shared - 1) << (width - shared)
    return ((part ^ (theirs[index] ?? 0)) & mask) === 0
  })
}

function partsOf(ip: IpAddress): readonly number[] {
  return ip.family === 4 ? ip.bytes : ip.groups
}
