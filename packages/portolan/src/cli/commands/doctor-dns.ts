import { promises as dns } from 'node:dns'
import { formatHostPort, type HostPort } from '@portolan/core'
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
    { what, state: 'ok', found: `its resolver does not know ${domain}`, mend: pointing(server, domain) },
  ]
}

/** How a host, or a container, is pointed at a server. */
export function pointing({ host, port }: HostPort, domain: string): string {
  const ways = [
    `systemd-resolved: resolvectl dns lo ${formatHostPort(host, port)} && resolvectl domain lo '~${domain}'`,
    `dnsmasq: server=/${domain}/${host}#${port}`,
    port === 53
      ? `resolv.conf: nameserver ${host}, before the others; set dns.forward, since it is asked for all names then`
      : `resolv.conf and containers (podman run --dns) know port 53 alone: portolan up --dns-listen ${formatHostPort(host, 53)}, with dns.forward for all other names`,
  ]
  return `to have it know them: ${ways.join('\n      or ')}`
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
