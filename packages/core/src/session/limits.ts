import type { Milliseconds } from '../time/clock.ts'

/** What holds for a gateway as a whole, whatever service its requests are for. Sizes in bytes. */
export interface GatewayLimits {
  /** Client connections open at once. */
  readonly connections: number
  /** Of one client: an IPv4 address, or an IPv6 network of 64 bits. 0 = as many as come. */
  readonly connectionsPerClient: number
  /** What is kept in memory for peers, all in all: bytes not read yet by who they are for. */
  readonly memory: number
  /** Bytes a second that a client must take or send while it is waited for. 0 = any. */
  readonly minRate: number
  /** How long idle connections to instances are kept. */
  readonly poolIdleMs: Milliseconds
  /** How old such a connection may grow: between two requests it is closed. Each gets a tenth more or less. */
  readonly poolMaxLifetimeMs: Milliseconds
}

export const limitDefaults: GatewayLimits = {
  connections: 10_000,
  connectionsPerClient: 0,
  memory: 256 * 1024 * 1024,
  minRate: 16,
  // Node closes idle connections after 5 s, most others later.
  poolIdleMs: 4000,
  poolMaxLifetimeMs: 600_000,
}
