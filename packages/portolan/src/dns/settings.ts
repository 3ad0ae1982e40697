import type { HostPort, Milliseconds } from '@portolan/core'
import type { Domain } from './names/meaning.ts'

/** How a DNS server is to answer. */
export interface DnsSettings {
  /** The first of style portolan is the one that targets and addresses are called in. */
  readonly domains: readonly Domain[]
  /** Seconds that an answer may be kept. Default 1. */
  readonly ttl: number
  /** Seconds that "there is none" may be kept. Default 1. */
  readonly negativeTtl: number
  /** What an instance's weight is multiplied by for SRV. HAProxy divides it by 256. Default 1. */
  readonly srvWeightScale: number
  /** The largest UDP answer that we send, in bytes: the client's own limit counts where that is lower. Default 1232. */
  readonly udpSize: number
  /** Networks whose clients may get large answers over UDP without proof that they are there. */
  readonly trusted: readonly string[]
  /** Where other names are asked for. */
  readonly forward: ForwardSettings
}

export interface ForwardSettings {
  /** None: other names are refused. */
  readonly upstreams: readonly HostPort[]
  /** Default 3 s. */
  readonly timeoutMs: Milliseconds
  /** Answers that are kept, at most. Default 10,000. */
  readonly cacheSize: number
}

/** Whose addresses are believed where nothing else is said: RFC 1122, 1918, 3927, 4193 and 4291. */
export const trustedByDefault: readonly string[] = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '::1',
  'fc00::/7',
  'fe80::/10',
]

export const dnsDefaults: DnsSettings = {
  domains: [
    { name: 'portolan', style: 'portolan' },
    { name: 'consul', style: 'consul' },
  ],
  ttl: 1,
  negativeTtl: 1,
  srvWeightScale: 1,
  udpSize: 1232,
  trusted: trustedByDefault,
  forward: { upstreams: [], timeoutMs: 3000, cacheSize: 10_000 },
}
