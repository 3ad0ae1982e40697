import { Fault, type IpAddress, mappedIpv4, parseIp, parseNetwork } from '@portolan/core'

/** A block of addresses, ready to be compared with many. */
export interface AddressBlock {
  /** Of its first address: 4 or 16. */
  readonly bytes: Uint8Array
  /** How many leading bits all of its addresses share. */
  readonly bits: number
}

/**
 * Reads IPs and CIDR blocks.
 * @throws Fault `config_invalid`
 */
export function readNetworks(entries: readonly string[]): readonly AddressBlock[] {
  return entries.map(entry => {
    const network = parseNetwork(entry)
    if (network !== undefined) return blockOf(network.address, network.bits)
    throw new Fault(
      'config_invalid',
      `dns.trusted: "${entry.slice(0, 80)}" is neither an IP address nor a CIDR block`,
      {
        source: 'caller',
        hint: 'write 10.0.0.5, 10.0.0.0/8 or fd00::/8',
      },
    )
  })
}

/**
 * The bytes of an address as sockets tell it, 4 or 16, the first one highest; IPv4-mapped ones, which dual-stack sockets tell,
 * count as their IPv4. `undefined`: it is none.
 */
export function readClientAddress(text: string): Uint8Array | undefined {
  const ip = parseIp(text)
  return ip && bytesOf(ip.family === 6 ? (mappedIpv4(ip) ?? ip) : ip)
}

export function isWithin({ bytes, bits }: AddressBlock, address: Uint8Array): boolean {
  if (address.length !== bytes.length) return false
  const whole = bits >> 3
  for (let at = 0; at < whole; at++) if (bytes[at] !== address[at]) return false
  const rest = bits & 7
  return (
    rest === 0 || (((bytes[whole] as number) ^ (address[whole] as number)) & (0xff00 >> rest) & 255) === 0
  )
}

function bytesOf(ip: IpAddress): Uint8Array {
  const isV4 = ip.family === 4
  const parts = isV4 ? ip.bytes : ip.groups
  const bytes = new Uint8Array(isV4 ? 4 : 16)
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index] as number
    if (isV4) bytes[index] = part
    else {
      bytes[index * 2] = part >> 8
      bytes[index * 2 + 1] = part
    }
  }
  return bytes
}

function blockOf(address: IpAddress, bits: number): AddressBlock {
  const mapped = address.family === 6 && bits >= 96 ? mappedIpv4(address) : undefined
  return mapped === undefined
    ? { bytes: bytesOf(address), bits }
    : { bytes: bytesOf(mapped), bits: bits - 96 }
}
