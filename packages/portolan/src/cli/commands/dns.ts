import { type HostPort, parseHostPort, parseNetwork, toFault } from '@portolan/core'
import { dnsLimits, domainShape } from '../../config/dns-limits.ts'
import { parseResolverAddress } from '../../config/resolver-address.ts'
import { refuseLoops } from '../../dns/forward/loops.ts'
import { systemResolvers } from '../../dns/forward/system-resolvers.ts'
import { type DnsSettings, dnsDefaults } from '../../dns/settings.ts'
import { startDns } from '../../dns.ts'
import { openLog } from '../../observe/log.ts'
import {
  type Command,
  durationOption,
  type Invocation,
  type Io,
  listOption,
  textOption,
  usage,
  wholeOption,
} from '../command.ts'
import { namingOwner } from '../port-owner.ts'
import { aborted } from './lb.ts'

const defaultListen = '127.0.0.1:7453'
const defaultAdmin = '127.0.0.1:7482'

export const dns: Command = {
  name: 'dns',
  summary: 'run the DNS server alone, joined to one or more registries',
  details:
    'The same server that `portolan up` runs. It serves what it knew last for as long as no registry answers, and SERVFAIL before one has told what there is.',
  options: [
    { flags: '--join <urls>', summary: 'the registries, as a comma list (default: --url)' },
    {
      flags: '--listen <address>',
      summary: `where to listen, over UDP and TCP (default: ${defaultListen})`,
      repeated: true,
    },
    {
      flags: '--admin <address>',
      summary: 'where /metrics, /healthz and /readyz are',
      fallback: defaultAdmin,
    },
    { flags: '--domain <name>', summary: 'a domain to answer for (default: portolan)', repeated: true },
    {
      flags: '--consul-domain <name>',
      summary: 'a domain with the name forms of Consul, or none (default: consul)',
      repeated: true,
    },
    {
      flags: '--ttl <duration>',
      summary: 'how long answers may be kept, in whole seconds; drains wait for it',
      fallback: '1s',
    },
    {
      flags: '--negative-ttl <duration>',
      summary: 'how long "there is none" may be kept, in whole seconds',
      fallback: '1s',
    },
    {
      flags: '--srv-weight-scale <n>',
      summary: 'what weights in SRV records are multiplied by (for HAProxy: 256)',
      fallback: '1',
    },
    { flags: '--udp-size <bytes>', summary: 'the largest answer over UDP, 512 to 4096', fallback: '1232' },
    {
      flags: '--trust <network>',
      summary:
        'whose addresses are believed over UDP, or none (default: loopback, private and link-local networks)',
      repeated: true,
    },
    {
      flags: '--forward <address>',
      summary: 'a resolver for all other names, or system for those of this machine (default: refuse them)',
      repeated: true,
    },
    {
      flags: '--forward-timeout <duration>',
      summary: 'how long resolvers may take, all together',
      fallback: '3s',
    },
    {
      flags: '--forward-cache <n>',
      summary: 'how many of their answers are kept, at most',
      fallback: '10000',
    },
  ],
  examples: [
    [
      'portolan dns --join http://127.0.0.1:7400',
      'DNS on 127.0.0.1:7453: dig -p 7453 @127.0.0.1 order.portolan',
    ],
    [
      'portolan dns --join http://10.0.0.5:7400 --listen 10.0.0.7:53 --forward system',
      'for other machines, which can ask it for everything',
    ],
  ],
  run: (invocation, io) => runDns(invocation, io),
}

async function runDns(invocation: Invocation, io: Io): Promise<number> {
  const join = textOption(invocation, 'join') ?? textOption(invocation, 'url') ?? io.env.PORTOLAN_URL
  const token = textOption(invocation, 'token') ?? io.env.PORTOLAN_TOKEN
  const given = listOption(invocation, 'listen')
  const listen = (given.length > 0 ? given : [defaultListen]).map(text => address(text, 'listen'))
  const admin = address(textOption(invocation, 'admin') ?? defaultAdmin, 'admin')
  const started = await startDns({
    join: (join ?? 'http://127.0.0.1:7400').split(',').map(url => url.trim()),
    listen,
    admin,
    settings: settingsOf(invocation, listen),
    ...(token === undefined ? {} : { token }),
    signal: io.signal,
    log: openLog(io.env.PORTOLAN_LOG ?? 'warn'),
  }).catch(thrown => {
    throw namingOwner(toFault(thrown), [...listen, admin])
  })
  io.out(`DNS listens on ${started.addresses.join(', ')}, admin on ${started.admin}\n`)
  const joined = started.whenJoined(5000).then(
    () => io.out('joined\n'),
    thrown => io.err(`${toFault(thrown).message}; it goes on trying\n`),
  )
  await aborted(io.signal)
  await started.close()
  await joined
  return 0
}

/** @throws Fault `invalid_request` */
function settingsOf(invocation: Invocation, listen: readonly HostPort[]): DnsSettings {
  const named = (option: string, otherwise: readonly string[]): readonly string[] => {
    const values = listOption(invocation, option)
    return values.length === 0 ? otherwise : values.filter(value => value !== 'none')
  }
  const styled = (style: 'portolan' | 'consul', option: string) => {
    const usual = dnsDefaults.domains.filter(domain => domain.style === style).map(({ name }) => name)
    return named(option, usual).map(name => ({ name: domainName(name, option), style }))
  }
  const domains = [...styled('portolan', 'domain'), ...styled('consul', 'consulDomain')]
  if (!domains.some(({ style }) => style === 'portolan'))
    throw usage('--domain none: there must be one', 'leave it out for portolan, or name another')
  const twice = domains.find(({ name, style }) =>
    domains.some(other => other.name === name && other.style !== style),
  )
  if (twice !== undefined)
    throw usage(
      `--consul-domain ${twice.name}: it is a --domain, too`,
      'names in one domain have one form: leave it out of one of them',
    )
  const trusted = named('trust', dnsDefaults.trusted)
  for (const network of trusted) {
    if (parseNetwork(network) === undefined)
      throw usage(`--trust ${network}: not a network`, 'write 10.0.0.0/8, 192.0.2.7, fd00::/8 or none')
  }
  return {
    domains,
    ttl: seconds(invocation, 'ttl', dnsDefaults.ttl),
    negativeTtl: seconds(invocation, 'negativeTtl', dnsDefaults.negativeTtl),
    srvWeightScale: wholeOption(invocation, 'srvWeightScale', [1, 65_535]) ?? dnsDefaults.srvWeightScale,
    udpSize: wholeOption(invocation, 'udpSize', [512, 4096]) ?? dnsDefaults.udpSize,
    trusted,
    forward: {
      upstreams: resolvers(listOption(invocation, 'forward'), listen),
      timeoutMs: forwardTimeout(invocation),
      cacheSize: wholeOption(invocation, 'forwardCache', [0, 1_000_000]) ?? dnsDefaults.forward.cacheSize,
    },
  }
}

function seconds(invocation: Invocation, option: 'ttl' | 'negativeTtl', otherwise: number): number {
  const ms = durationOption(invocation, option)
  if (ms === undefined) return otherwise
  if (ms % 1000 !== 0) throw usage('DNS counts whole seconds', 'write 0s, 1s, 5s')
  if (ms <= dnsLimits.longestTtlMs) return ms / 1000
  const flag = option === 'ttl' ? '--ttl' : '--negative-ttl'
  const said = `${flag} ${textOption(invocation, option)}: DNS answers are kept for a day at most`
  throw usage(said, 'write 0s, 1s, 5s, 24h')
}

function forwardTimeout(invocation: Invocation): number {
  const ms = durationOption(invocation, 'forwardTimeout') ?? dnsDefaults.forward.timeoutMs
  if (ms <= dnsLimits.longestForwardTimeoutMs) return ms
  const said = `--forward-timeout ${textOption(invocation, 'forwardTimeout')}: at most a minute`
  throw usage(said, 'clients give up after a few seconds: write 3s')
}

function domainName(text: string, option: string): string {
  const name = text.toLowerCase().replace(/\.$/, '')
  if (domainShape.test(name)) return name
  const flag = option === 'domain' ? '--domain' : '--consul-domain'
  throw usage(`${flag} ${text}: not a domain`, 'write portolan, or svc.example.com')
}

/** @throws Fault `invalid_request`, `config_invalid` where one of them is this server itself */
function resolvers(given: readonly string[], listen: readonly HostPort[]): readonly HostPort[] {
  const upstreams = given.flatMap(text =>
    text === 'none' ? [] : text === 'system' ? systemResolvers(listen) : [resolverAddress(text)],
  )
  refuseLoops(upstreams, listen)
  return upstreams
}

function resolverAddress(text: string): HostPort {
  try {
    return parseResolverAddress(text)
  } catch (thrown) {
    const { message, hint } = toFault(thrown)
    throw usage(`--forward: ${message}`, hint)
  }
}

function address(text: string, option: 'listen' | 'admin'): HostPort {
  try {
    return parseHostPort(text, { anyPort: true })
  } catch (thrown) {
    const { message, hint } = toFault(thrown)
    throw usage(`--${option}: ${message}`, hint)
  }
}
