import { networkInterfaces } from 'node:os'
import { canonicalIp, type HostPort, isLoopback, isUnspecified, parseIp } from '@portolan/core'

/** Every address that this machine has, in canonical text; loopback needs no naming. */
export function ownAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap(interfaces =>
    (interfaces ?? []).flatMap(({ address }) => canonicalIp(address) ?? []),
  )
}

/**
 * The address among `listen` at which a message to `target` arrives: the same one, or "any address" where the target is
 * one of this machine's.
 */
export function listenerAt(
  target: HostPort,
  listen: readonly HostPort[],
  own: readonly string[],
): HostPort | undefined {
  const address = bare(target.host)
  const isOurs = isUnspecified(address) || isLoopback(address) || own.some(one => bare(one) === address)
  return listen.find(({ host, port }) => {
    if (port !== target.port) return false
    return bare(host) === address || (isOurs && (isUnspecified(bare(host)) || isUnspecified(address)))
  })
}

/** Without its zone, and IPv4 in IPv6 as IPv4: one spelling for each place that a message can arrive at. */
function bare(host: string): string {
  const text = host.replace(/%.*$/, '')
  const canonical = canonicalIp(text) ?? text
  const mapped = canonical.startsWith('::ffff:') ? canonical.slice('::ffff:'.length) : canonical
  return parseIp(mapped)?.family === 4 ? mapped : canonical
}
