import { isIP } from 'node:net'
import { type Endpoint, httpPort, type Instance } from '@portolan/core'
import type { Target } from './dial.ts'
import type { PathContext } from './path-context.ts'
import { type ConnectionOwner, type ResponseReceiver, UpstreamConnection } from './upstream-connection.ts'

/** The connections to one incarnation of one instance. */
export class Pool implements ConnectionOwner {
  readonly endpoint: Endpoint
  readonly #path: PathContext
  readonly #target: Target
  /** The one that rested last is taken first: the others may grow old and go. */
  readonly #idle: UpstreamConnection[] = []
  #open = 0
  #retired = false

  constructor(path: PathContext, endpoint: Endpoint) {
    this.#path = path
    this.endpoint = endpoint
    this.#target = targetOf(endpoint.instance)
  }

  get open(): number {
    return this.#open
  }

  /** A connection for one request, idle or just being made; `undefined` when all are taken. */
  take(receiver: ResponseReceiver): UpstreamConnection | undefined {
    const idle = this.#idle.pop()
    if (idle !== undefined) {
      idle.assign(receiver)
      return idle
    }
    if (this.#open >= this.#path.settings.maxConnectionsPerInstance) return undefined
    this.#open++
    return new UpstreamConnection(this.#path, this, this.#target, receiver)
  }

  /** Takes back a connection that may carry another request. */
  release(connection: UpstreamConnection): void {
    if (!connection.isOpen) return
    // An instance that drains may stop as soon as nobody has a request under way to it: nothing is kept for later.
    if (this.#retired || this.endpoint.leaving || this.#path.draining) {
      connection.destroy()
      return
    }
    connection.rest(this.#path.settings.poolIdleMs)
    this.#idle.push(connection)
  }

  closed(connection: UpstreamConnection): void {
    this.#open--
    const index = this.#idle.indexOf(connection)
    if (index >= 0) this.#idle.splice(index, 1)
  }

  /** Closes what is idle: the peer has restarted, or should be left in peace. */
  dropIdle(): void {
    for (const connection of [...this.#idle]) connection.destroy()
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
