import { addressOfHex, hexOfAddress } from './hex.ts'

const v4Shape = /^((?:(?:0|[1-9]\d{0,2})\.){4})in-addr\.arpa$/
const v6Shape = /^((?:[0-9a-f]\.){32})ip6\.arpa$/

/** What an address is asked back by: RFC 1035 section 3.5, RFC 3596 section 2.5. `undefined`: it is none that others know. */
export function reverseName(address: string): string | undefined {
  const hex = hexOfAddress(address)
  if (hex === undefined) return undefined
  if (hex.length === 8) return `${address.split('.').reverse().join('.')}.in-addr.arpa`
  return `${[...hex].reverse().join('.')}.ip6.arpa`
}

/** The inverse of {@link reverseName}: a whole address in canonical text, or `undefined`. */
export function addressOfReverse(name: string): string | undefined {
  const v4 = v4Shape.exec(name)?.[1]
  if (v4 !== undefined) {
    const bytes = v4.slice(0, -1).split('.').reverse()
    return bytes.every(byte => Number(byte) <= 255) ? bytes.join('.') : undefined
  }
  const v6 = v6Shape.exec(name)?.[1]
  return v6 === undefined ? undefined : addressOfHex(v6.replaceAll('.', '').split('').reverse().join(''))
}
