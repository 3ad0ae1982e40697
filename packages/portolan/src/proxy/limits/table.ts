import type { GatewayLimits } from '@portolan/core'
import { maxFields } from '../codec/codec.ts'
import type { LimitName } from '../metrics.ts'
import { maxByHost } from '../services.ts'
import type { GatewaySettings } from '../settings.ts'

/** One limit of a gateway as a whole. */
export interface Limit {
  /** The label that it has in metrics. */
  readonly name: string
  /** The key of the configuration that sets it; absent = it is fixed. */
  readonly setting?: string
  readonly unit: 'bytes' | 'bytes/s' | 'seconds' | ''
  /** Infinite = there is none. */
  readonly value: (settings: GatewaySettings, limits: GatewayLimits) => number
  /** What happens to whoever meets it. */
  readonly what: string
  /** What counts how often that was: a count of its own, and the error that is answered, or an instance’s answer refused for. */
  readonly struck: { readonly count?: LimitName; readonly code?: string }
}

const orNone = (value: number): number => (value === 0 ? Number.POSITIVE_INFINITY : value)

/** Every limit of a gateway, but for the circuit breakers of its services. */
export const limitTable: readonly Limit[] = [
  {
    name: 'connections',
    setting: 'gateway.limits.connections',
    unit: '',
    value: (_, { connections }) => connections,
    what: 'client connections beyond are answered with 503 `too_many_clients` and closed',
    struck: { count: 'connections' },
  },
  {
    name: 'connectionsPerClient',
    setting: 'gateway.limits.connectionsPerClient',
    unit: '',
    value: (_, { connectionsPerClient }) => orNone(connectionsPerClient),
    what: 'connections beyond from one IPv4 address, or one IPv6 network of 64 bits, are answered with 429 `too_many_from_client` and closed; those of trusted proxies do not count',
    struck: { count: 'connectionsPerClient' },
  },
  {
    name: 'memory',
    setting: 'gateway.limits.memory',
    unit: 'bytes',
    value: (_, { memory }) => memory,
    what: 'kept for peers, all in all: beyond, requests with bodies get 503 `overloaded`, nobody is read from for whom something waits, and nothing is kept for a second try; a quarter beyond, every request gets 503',
    struck: { count: 'memory' },
  },
  {
    name: 'minRate',
    setting: 'gateway.limits.minRate',
    unit: 'bytes/s',
    value: (_, { minRate }) => minRate,
    what: 'a client that is waited for and moves less, over half a minute, is let go: 408 `too_slow` for a body, a reset for an answer',
    struck: { count: 'minRate' },
  },
  {
    name: 'pipelined',
    unit: 'bytes',
    value: ({ backlogLimit }) => backlogLimit,
    what: 'what a client sends ahead of its answers; beyond, it is not read from',
    struck: { count: 'pipelined' },
  },
  {
    name: 'head',
    unit: 'bytes',
    value: ({ codec }) => codec.head,
    what: 'a larger head is answered with 431 `head_too_large`; an instance’s larger head is a 502 `bad_response`',
    struck: { code: 'head_too_large' },
  },
  {
    name: 'fields',
    unit: '',
    value: () => maxFields,
    what: 'a head with more fields is answered with 431 `too_many_fields`; an instance’s is a 502 `bad_response`',
    struck: { code: 'too_many_fields' },
  },
  {
    name: 'target',
    unit: 'bytes',
    value: ({ codec }) => codec.target,
    what: 'a longer request target is answered with 414 `target_too_long`',
    struck: { code: 'target_too_long' },
  },
  {
    name: 'chunkExtensions',
    unit: 'bytes',
    value: ({ codec }) => codec.chunkExtensions,
    what: 'a body with more of them, all in all, is answered with 400 `bad_chunk_extension`; an instance’s is cut',
    struck: { code: 'bad_chunk_extension' },
  },
  {
    name: 'firstByte',
    unit: 'seconds',
    value: ({ headMs }) => headMs / 1000,
    what: 'a new connection that has sent nothing for so long is closed without a word',
    struck: { count: 'firstByte' },
  },
  {
    name: 'headTime',
    unit: 'seconds',
    value: ({ headMs }) => headMs / 1000,
    what: 'from a head’s first byte to its last, however the bytes drip: 408 `head_timeout`, and the connection is closed',
    struck: { code: 'head_timeout' },
  },
  {
    name: 'bodyTime',
    unit: 'seconds',
    value: ({ bodyIdleMs }) => bodyIdleMs / 1000,
    what: 'without a byte of a request’s body: 408 `body_timeout`; without a client taking any of its answer: a reset',
    struck: { code: 'body_timeout', count: 'bodyTime' },
  },
  {
    name: 'keepAlive',
    unit: 'seconds',
    value: ({ keepAliveMs }) => keepAliveMs / 1000,
    what: 'client connections that are idle for so long after an answer are closed without a word',
    struck: { count: 'keepAlive' },
  },
  {
    name: 'connectTime',
    unit: 'seconds',
    value: ({ connectMs }) => connectMs / 1000,
    what: 'for a connection to an instance; then another one is tried, or the answer is 504 `connect_timeout`',
    struck: { code: 'connect_timeout' },
  },
  {
    name: 'responseTime',
    unit: 'seconds',
    value: ({ responseMs }) => responseMs / 1000,
    what: 'from a request’s last byte to its answer’s head: 504 `response_timeout`',
    struck: { code: 'response_timeout' },
  },
  {
    name: 'unresolved',
    unit: '',
    value: ({ maxUnresolved }) => maxUnresolved,
    what: 'requests of one service that wait, for a second, until its instances are known at all; beyond, 503 `too_many_pending`, which circuit breakers answer, too',
    struck: { code: 'too_many_pending' },
  },
  {
    name: 'services',
    unit: '',
    value: () => maxByHost,
    what: 'services that are known by Host alone; beyond, requests for others get 503 `too_many_services`; one that has never had an instance is forgotten 10 s after its last request, and is in no metric',
    struck: { code: 'too_many_services' },
  },
]
