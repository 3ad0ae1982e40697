import { readFileSync } from 'node:fs'
import { canonicalIp, Fault, type HostPort } from '@portolan/core'
import { listenerAt, ownAddresses } from './own-addresses.ts'

/** As the system's own library has it (resolv.conf(5)): further ones are not asked. */
const mostResolvers = 3
const dnsPort = 53

/**
 * The resolvers of `/etc/resolv.conf`, without this server itself: whoever made it the machine's resolver does not mean
 * it to ask itself. None, where there is no such file.
 * @param own every address of this machine
 * @throws Fault `config_invalid` where the file is there and cannot be read
 */
export function systemResolvers(
  listen: readonly HostPort[],
  path = '/etc/resolv.conf',
  own: readonly string[] = ownAddresses(),
): readonly HostPort[] {
  return parseResolvConf(textOf(path))
    .map(host => ({ host, port: dnsPort }))
    .filter(resolver => listenerAt(resolver, listen, own) === undefined)
}

/** The addresses that `nameserver` lines name, in canonical text: the first three, as the system's library takes them. */
export function parseResolvConf(text: string): readonly string[] {
  const found: string[] = []
  for (const line of text.split('\n')) {
    const [keyword, value] = line.split(/[ \t\r]+/, 2)
    if (keyword !== 'nameserver' || value === undefined) continue
    const address = canonicalIp(value)
    if (address !== undefined && !found.includes(address)) found.push(address)
    if (found.length === mostResolvers) break
  }
  return found
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw new Fault('config_invalid', `dns.forward: system: ${path} cannot be read`, {
      source: 'caller',
      cause,
      hint: `let this user read ${path}, or name the resolvers in dns.forward`,
    })
  }
}
