import { formatIp, parseIpv6 } from '@portolan/core'

const v4Shape = /^[0-9a-f]{8}$/
const v6Shape = /^[0-9a-f]{32}$/

/** By decimal text: services have thousands of addresses, and each is a name in every answer. */
const hexOfByte: ReadonlyMap<string, string> = new Map(
  Array.from({ length: 256 }, (_, byte) => [String(byte), byte.toString(16).padStart(2, '0')]),
)

/** `7f000001`, or 32 digits for IPv6. `undefined`: it is no address, or one with a zone id, which means nothing elsewhere. */
export function hexOfAddress(address: string): string | undefined {
  if (!address.includes(':')) return hexOfIpv4(address)
  const ip = parseIpv6(address)
  if (ip === undefined || ip.zone !== undefined) return undefined
  return ip.groups.map(group => group.toString(16).padStart(4, '0')).join('')
}

function hexOfIpv4(address: string): string | undefined {
  const [a = '', b = '', c = '', d = '', ...more] = address.split('.').map(byte => hexOfByte.get(byte) ?? '')
  const hex = a + b + c + d
  return hex.length === 8 && more.length === 0 ? hex : undefined
}

/** The address in canonical text; `undefined`: these are not 8 or 32 hex digits in lower case. */
export function addressOfHex(hex: string): string | undefined {
  if (v4Shape.test(hex)) return formatIp({ family: 4, bytes: numbers(hex, 2) })
  return v6Shape.test(hex) ? formatIp({ family: 6, groups: numbers(hex, 4) }) : undefined
}

function numbers(hex: string, digits: number): readonly number[] {
  const count = hex.length / digits
  return Array.from({ length: count }, (_, index) =>
    Number.parseInt(hex.slice(index * digits, (index + 1) * digits), 16),
  )
}
