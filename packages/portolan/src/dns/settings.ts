import type { HostPort, Milliseconds } from '@portolan/core'
import type { Domain } from './names/meaning.ts'

/** How a DNS server is to answer. */
export interface DnsSettings {
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
  /** Where other names are asked for; none = REFUSED. */
  readonly forward: ForwardSettings
}

export interface ForwardSettings {
  readonly upstreams: readonly HostPort[]
  readonly timeoutMs: Milliseconds
  /** Answers that are kept, at most. */
  readonly cacheSize: number
}
