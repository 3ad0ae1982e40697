import { formatHostPort, type HostPort } from '@portolan/core'
import type { Config } from './config/schema.ts'

export interface DnsCommandLine {
  readonly join: readonly string[]
  readonly listen: readonly HostPort[]
  readonly config: Config['dns']
}

/** The words of a command line that starts this DNS server in a process of its own. */
export function dnsArguments({ join, listen, config }: DnsCommandLine): string[] {
  const many = (flag: string, values: readonly string[]): string[] => values.flatMap(value => [flag, value])
  const orNone = (values: readonly string[]): readonly string[] => (values.length === 0 ? ['none'] : values)
  const text = ({ host, port }: HostPort): string => formatHostPort(host, port)
  const { forward, trusted } = config
  return [
    'dns',
    '--join',
    join.join(','),
    ...many('--listen', listen.map(text)),
    '--admin',
    text(config.admin),
    ...many('--domain', config.domains),
    ...many('--consul-domain', orNone(config.consulDomains)),
    '--ttl',
    `${config.ttl}ms`,
    '--negative-ttl',
    `${config.negativeTtl}ms`,
    '--srv-weight-scale',
    String(config.srvWeightScale),
    '--udp-size',
    String(config.udpSize),
    ...many('--trust', trusted === undefined ? [] : orNone(trusted)),
    ...many(
      '--forward',
      forward.map(one => (typeof one === 'string' ? one : text(one))),
    ),
    '--forward-timeout',
    `${config.forwardTimeout}ms`,
    '--forward-cache',
    String(config.forwardCache),
  ]
}
