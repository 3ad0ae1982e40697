import { hexOfAddress } from '../hex.ts'

/** What an address is asked back by: RFC 1035 section 3.5, RFC 3596 section 2.5. `undefined`: it is none that others know. */
export function reverseName(address: string): string | undefined {
  const hex = hexOfAddress(address)
  if (hex === undefined) return undefined
  if (hex.length === 8) return `${address.split('.').reverse().join('.')}.in-addr.arpa`
  return `${[...hex].reverse().join('.')}.ip6.arpa`
}
