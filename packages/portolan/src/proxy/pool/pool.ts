import { isIP } from 'node:net'
import { type Endpoint, httpPort, type Instance, type Milliseconds } from '@portolan/core'
import type { PathContext } from '../path-context.ts'
import type { ResponseReceiver } from '../response-receiver.ts'
import { type ConnectionOwner, UpstreamConnection } from '../upstream-connection.ts'
import { Addresses } from './addresses.ts'
import type { Target } from './dial.ts'

/** Whom a pool belongs to. */
export interface PoolOwner {
  /** Connections that it may have, busy and idle. */
  readonly mostConnections: number
  /** How long they may be idle; 0 = not at all. */
  readonly idleMs: Milliseconds
  /** It may have room again. */
  freed(pool: Pool): void
}

/** The connections to one incarnation of one instance. */
export class Pool implements ConnectionOwner {
  readonly endpoint: Endpoint
  readonly #path: PathContext
  readonly #owner: PoolOwner
  readonly #target: Target
  readonly #addresses: Addresses
  /** The one that rested last is taken first: the others may grow old and go. */
  readonly #idle: UpstreamConnection[] = []
  #open = 0
  #retired = false

  constructor(path: PathContext, endpoint: Endpoint, owner: PoolOwner) {
    this.#path = path
    this.#owner = owner
    this.endpoint = endpoint
    const { instance } = endpoint
    this.#addresses = new Addresses(instance.addresses)
    const worked = (address: string): void => this.#addresses.worked(address, path.deadlines.now)
    this.#target = { ...targetOf(instance), worked }
  }

  get open(): number {
    return this.#open
  }

  get idleMs(): Milliseconds {
    return this.#owner.idleMs
  }

  /** Whether {@link take} would give a connection. */
  get hasRoom(): boolean {
    return !this.#retired && (this.#idle.length > 0 || this.#mayOpen)
  }

  get #mayOpen(): boolean {
    if (this.#retired || this.#open >= this.#owner.mostConnections) return false
    const { descriptors, metrics } = this.#path
    if (!descriptors.isExhausted) return true
    metrics.struck.descriptors++
    return false
  }

  /**
   * A connection for one request, idle or just being made; `undefined` when all are taken. `fresh`: rather one that has
   * carried no request yet.
   */
  take(receiver: ResponseReceiver, fresh = false): UpstreamConnection | undefined {
    const idle = fresh && this.#mayOpen ? undefined : this.#idle.pop()
    if (idle === undefined) return this.#mayOpen ? this.#connect(receiver) : undefined
    idle.assign(receiver)
    return idle
  }

  /** Opens a connection ahead of requests, unless that many are open already, or no more may be. */
  warm(wanted: number): boolean {
    if (this.idleMs === 0 || this.#open >= wanted || !this.#mayOpen) return false
    // First of all, so that those are taken before which are there already.
    this.#idle.unshift(this.#connect())
    return true
  }

  /** Takes back a connection that may carry another request. */
  release(connection: UpstreamConnection): void {
    if (!connection.isOpen) return
    // An instance that drains may stop as soon as nobody has a request under way to it: nothing is kept for later.
    if (this.#retired || this.endpoint.leaving || this.#path.draining || !connection.rest()) {
      connection.destroy()
      return
    }
    this.#idle.push(connection)
    this.#owner.freed(this)
  }

  closed(connection: UpstreamConnection): void {
    this.#open--
    this.#path.metrics.upstreamConnections--
    const index = this.#idle.indexOf(connection)
    if (index >= 0) this.#idle.splice(index, 1)
    this.#owner.freed(this)
  }

  /** Closes what is idle: the peer has restarted, or should be left in peace. */
  dropIdle(): void {
    for (const connection of [...this.#idle]) connection.destroy()
  }

  #connect(receiver?: ResponseReceiver): UpstreamConnection {
    this.#open++
    this.#path.metrics.upstreamConnections++
    const addresses = this.#addresses.order(this.#path.deadlines.now)
    return new UpstreamConnection(this.#path, this, { ...this.#target, addresses }, receiver)
  }

  /** The instance has left: idle connections close now, busy ones after their answer. */
  retire(): void {
    this.#retired = true
    this.dropIdle()
  }
}

/** What speaks TLS gets TLS, and nothing in the clear. The name in its certificate is its host, or else its address. */
function targetOf({ addresses, ports, host }: Instance): Target {
  const port = httpPort(ports)
  const target = { addresses, port: port?.number ?? 0 }
  if (port?.tls !== true) return target
  return { ...target, tls: host === undefined || isIP(host) !== 0 ? {} : { servername: host } }
}
