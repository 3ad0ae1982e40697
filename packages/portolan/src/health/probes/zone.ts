import { networkInterfaces } from 'node:os'

/**
 * The zone of an address that names no interface of this machine (RFC 4007 section 11); undefined where there is none
 * or it may exist. Asked beforehand, since Node 24 never says a word about a connection to such an address.
 */
export function missingZone(address: string): string | undefined {
  const mark = address.indexOf('%')
  if (mark < 0) return undefined
  const zone = address.slice(mark + 1)
  return /^\d+$/.test(zone) || Object.hasOwn(networkInterfaces(), zone) ? undefined : zone
}
