import { promises as dns } from 'node:dns'
import { formatHostPort, type HostPort, isLoopback, isUnspecified, parseIp } from '@portolan/core'
import { ownAddresses } from '../../dns/forward/own-addresses.ts'
import type { Finding } from './doctor-finding.ts'

const patienceMs = 1000

/** Who answers for a domain, as `resolveSoa` knows it. */
type AskForStart = (server: HostPort | undefined, domain: string) => Promise<string>

/**
 * Whether the configured DNS server answers, and whether this host's own resolver knows of it.
 * @param listen where the server listens
 * @param domain the first of its domains
 */
export async function dnsFindings(
  listen: readonly HostPort[],
  domain: string,
  ask: AskForStart = askForStart,
): Promise<readonly Finding[]> {
  const [server] = listen
  if (server === undefined || server.port === 0) return []
  const where = formatHostPort(server.host, server.port)
  const answers = await ask(server, domain).then(
    () => true,
    () => false,
  )
  const own: Finding = answers
    ? { what: 'DNS', state: 'ok', found: `${where} answers for ${domain}` }
    : {
        what: 'DNS',
        state: 'warn',
        found: `nobody answers for ${domain} at ${where}`,
        mend: '`portolan up` starts it, as does `portolan dns --join URL`',
      }
  const known = await ask(undefined, domain).then(
    primary => primary === `ns.${domain}`,
    () => false,
  )
  const what = 'names on this host'
  if (known) return [own, { what, state: 'ok', found: `its resolver knows ${domain}` }]
  return [
    own,
    { what, state: 'ok', found: `its resolver does not know ${domain}`, mend: pointing(listen, domain) },
  ]
}

/**
 * How a host, or a container, is pointed at a server.
 * @param listen where it listens; the first one counts, but for containers, whose loopback is another one
 * @param own every address of this machine
 */
export function pointing(
  listen: readonly HostPort[],
  domain: string,
  own: readonly string[] = ownAddresses(),
): string {
  const [server] = listen
  if (server === undefined) return ''
  const port = server.port
  const outside = [...listen.map(({ host }) => host), ...own].find(isOutside) ?? 'ADDRESS'
  // "Any" is no place to send a question to, and `::` takes none over IPv4.
  const isReached = (address: string): boolean =>
    isOutside(address) && address.includes(':') === server.host.includes(':')
  const host = isUnspecified(server.host) ? (own.find(isReached) ?? reached(server.host)) : server.host
  const ways = [
    `systemd-resolved: resolvectl dns lo ${formatHostPort(host, port)} && resolvectl domain lo '~${domain}'`,
    `dnsmasq: server=/${domain}/${host}#${port}`,
    port === 53
      ? `resolv.conf: nameserver ${host}, before the others; set dns.forward, since it is asked for all names then`
      : `resolv.conf and containers (podman run --dns ${outside}) know port 53 alone: portolan up --dns-listen ${formatHostPort(outside, 53)}, with dns.forward for all other names`,
  ]
  return `to have it know them: ${ways.join('\n      or ')}`
}

/** Whether others get here by it: no loopback, no "any", no name, and nothing that needs a zone. */
function isOutside(host: string): boolean {
  return parseIp(host) !== undefined && !isLoopback(host) && !isUnspecified(host) && !/^fe[89ab]/i.test(host)
}

async function askForStart(server: HostPort | undefined, domain: string): Promise<string> {
  const resolver = new dns.Resolver({ timeout: patienceMs, tries: 1 })
  try {
    if (server !== undefined) resolver.setServers([formatHostPort(reached(server.host), server.port)])
    const { nsname } = await resolver.resolveSoa(domain)
    return nsname
  } finally {
    resolver.cancel()
  }
}

/** Who listens everywhere is asked on loopback. */
function reached(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  return host === '::' ? '::1' : host
}
