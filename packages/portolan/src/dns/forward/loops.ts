import { Fault, formatHostPort, type HostPort } from '@portolan/core'
import { listenerAt, ownAddresses } from './own-addresses.ts'

/**
 * Refuses to forward to ourselves. Longer ways round cannot be seen from here; they end by themselves, since a question
 * that comes back while it is under way is not asked again.
 * @param own every address of this machine
 * @throws Fault `config_invalid`
 */
export function refuseLoops(
  upstreams: readonly HostPort[],
  listen: readonly HostPort[],
  own: readonly string[] = ownAddresses(),
): void {
  for (const upstream of upstreams) {
    const listener = listenerAt(upstream, listen, own)
    if (listener === undefined) continue
    const [there, here] = [upstream, listener].map(({ host, port }) => formatHostPort(host, port))
    throw new Fault(
      'config_invalid',
      `dns.forward names ${there}, where this DNS server itself listens (${here})`,
      {
        source: 'caller',
        hint: 'name the resolvers that know other names, as your network calls them (resolvectl dns, or the router’s address), or forward: none',
      },
    )
  }
}
