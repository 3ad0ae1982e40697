import type { InstanceName, Milliseconds, ServerMessage, ServiceName, Unsubscribe } from '@portolan/core'
import type { Identity } from '../../registry/access/access.ts'
import type { Subscription } from '../../registry/registry.ts'

/** Close codes of our own, in the range that RFC 6455 leaves to applications. docs/protocol.md explains them. */
export const closeCodes = {
  goingAway: 1001,
  protocol: 4400,
  unauthorized: 4401,
  helloTimeout: 4408,
  replaced: 4409,
  silent: 4410,
  removed: 4411,
} as const

/** Bytes that a peer does not take: from here on its next requests are not read. */
export const maxUnsent = 1_048_576

/** A connection that has said hello, and what it holds. */
export interface Session {
  readonly id: string
  /** What the client calls itself, for the log. */
  readonly name: string
  readonly kind: 'sdk' | 'proxy' | 'agent'
  /** As it was at hello; what it may do is asked anew for each request, since tokens expire and are revoked. */
  readonly identity: Identity
  readonly secret: string | undefined
  /** Where it calls from: the default address of what it registers. */
  readonly address: string | undefined
  /** By service key. */
  readonly watches: Map<string, Subscription>
  /** By instance key: what it registered and did not deregister. */
  readonly held: Map<string, InstanceName>
  stopRoutes: Unsubscribe | undefined
  /** Where it watches which services there are. */
  catalogue: CatalogueWatch | undefined
  /** When its last pong came. */
  heardAt: Milliseconds
  /** Bytes that the peer has not taken yet. */
  readonly unsent: number
  send(message: ServerMessage): void
  /** False: congested until the session's subscriptions are resumed. */
  push(frame: Buffer): boolean
  ping(frame: Buffer): void
  close(code: number, reason: string): void
}

export interface CatalogueWatch {
  /** The peer takes again what it is sent. */
  resume(): void
  close(): void
}

export function instanceKey(name: InstanceName): string {
  return `${name.namespace}/${name.service}/${name.id}`
}

export function watchKey(name: ServiceName): string {
  return `${name.namespace}/${name.service}`
}
