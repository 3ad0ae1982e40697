import {
  type BreakerSettings,
  breakerDefaults,
  type GatewayLimits,
  type HostPort,
  limitDefaults,
  type PolicyName,
} from '@portolan/core'
import { type CodecLimits, defaultCodecLimits } from './codec/codec.ts'

/** What one gateway is told. Times in milliseconds, never cut short, and up to one `sweepMs` longer; sizes in bytes. */
export interface GatewaySettings {
  /** Where to listen; port 0 takes any free one. Default 127.0.0.1:7480. */
  readonly listen: readonly HostPort[]
  /** IPs and CIDR blocks whose X-Forwarded-* are believed, in place of the route table's. Default none: those hold. */
  readonly trustedProxies: readonly string[]
  readonly policy: PolicyName
  /** Where it runs: instances of its own zone are preferred. Default: nowhere in particular. */
  readonly zone?: string
  /** Names this gateway, for its subsets. */
  readonly client?: string
  readonly codec: CodecLimits
  /** Where the configuration says nothing else. */
  readonly limits: GatewayLimits
  /** Requests of one service that wait for its first instance set. Default 1024. */
  readonly maxUnresolved: number
  /** For services that say nothing of their own. */
  readonly breaker: BreakerSettings
  /** A request is kept for a second try while it is no larger than this. Default 64 KiB. */
  readonly replayLimit: number
  /** From a request's first byte to its head's last one. Default 10 s. */
  readonly headMs: number
  /** How long a client connection may idle between requests. Default 75 s. */
  readonly keepAliveMs: number
  /** Default 2 s; with two addresses the second is tried beside the first after a tenth of it. */
  readonly connectMs: number
  /** From the request's last byte to the response's head. Default 60 s. */
  readonly responseMs: number
  /** Without a byte of a body from, or to, a peer. Default 60 s. */
  readonly bodyIdleMs: number
  /** How long a request waits for the first instance set of its service. Default 1 s. */
  readonly resolveMs: number
  /** A client that ends its side while its response is under way has gone, or only half: it gets this long. Default 2 s. */
  readonly halfClosedMs: number
  /** How long a tunnel (WebSocket) may pass no byte either way. Default 1 h. */
  readonly tunnelIdleMs: number
  /** How long `close` lets requests end by themselves. Default 10 s. */
  readonly drainMs: number
  /** So much may be pipelined while an answer is under way; then reading stops. Default 64 KiB. */
  readonly backlogLimit: number
  /** How often it is looked whether slow clients have moved enough. Default 30 s. */
  readonly paceMs: number
  /** How often deadlines are looked at. Default 200 ms. */
  readonly sweepMs: number
}

export const defaultGatewaySettings: GatewaySettings = {
  listen: [{ host: '127.0.0.1', port: 7480 }],
  trustedProxies: [],
  policy: 'least-request',
  codec: defaultCodecLimits,
  limits: limitDefaults,
  maxUnresolved: 1024,
  breaker: breakerDefaults,
  replayLimit: 65_536,
  headMs: 10_000,
  keepAliveMs: 75_000,
  connectMs: 2000,
  responseMs: 60_000,
  bodyIdleMs: 60_000,
  resolveMs: 1000,
  halfClosedMs: 2000,
  tunnelIdleMs: 3_600_000,
  drainMs: 10_000,
  backlogLimit: 65_536,
  paceMs: 30_000,
  sweepMs: 200,
}
