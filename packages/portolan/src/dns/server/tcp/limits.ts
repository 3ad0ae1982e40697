import type { Milliseconds } from '@portolan/core'

/** What clients of one TCP listener may have. */
export interface TcpLimits {
  /** Connections, in all. Beyond, the longest idle one of the client that has most gives way. */
  readonly connections: number
  /** Connections of one IPv4 address, or one IPv6 network of 56 bits. Beyond, its longest idle one gives way, or the newest where all have asked just now. */
  readonly connectionsPerClient: number
  /** How long a connection may be idle; and how long while more than three quarters of all connections are open. */
  readonly idleMs: Milliseconds
  readonly crowdedIdleMs: Milliseconds
  /** From a message's first byte to its last. */
  readonly messageMs: Milliseconds
  /** How long a client may take for what was written to it at once: an answer, or several small ones. */
  readonly unreadMs: Milliseconds
  /** Queries of one connection that are under way; beyond, it is not read from. */
  readonly queries: number
  /** Bytes of answers that one connection has not taken; beyond, it is ended. From {@link notReadAbove} on it is not read from. */
  readonly unsent: number
  /** Bytes kept for all connections, by all listeners that count together; beyond, whoever adds to them and has more than 4 KiB is ended. */
  readonly memory: number
  /** How long answers under way may take to go out when the server closes. */
  readonly closeMs: Milliseconds
}

export const tcpDefaults: TcpLimits = {
  connections: 1024,
  connectionsPerClient: 64,
  idleMs: 10_000,
  crowdedIdleMs: 2000,
  messageMs: 3000,
  unreadMs: 5000,
  queries: 64,
  unsent: 1_048_576,
  memory: 33_554_432,
  closeMs: 1000,
}

export const notReadAbove = 65_536
/** Whoever has no more than this is not ended for what others have. */
export const alwaysAllowed = 4096
/** The share of all connections from which on idle ones have to go sooner. */
export const crowdedAbove = 0.75
