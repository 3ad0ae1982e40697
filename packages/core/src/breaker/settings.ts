import type { Milliseconds } from '../time/clock.ts'

/** How much of one service a gateway lets be under way at once. Beyond, requests wait, or are answered with 503. */
export interface BreakerSettings {
  /** Connections to one instance, busy and idle. */
  readonly connections: number
  /** Requests that wait for a connection. */
  readonly pending: number
  /** Requests under way, those included that wait. 0 = as many as come. */
  readonly requests: number
  /** How long a request waits for a connection. */
  readonly queueTimeoutMs: Milliseconds
}

/** Envoy's numbers, but that requests are bounded by the gateway's client connections alone. */
export const breakerDefaults: BreakerSettings = {
  connections: 1024,
  pending: 1024,
  requests: 0,
  queueTimeoutMs: 1000,
}
