import type { Endpoint, Instance } from '@portolan/core'
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
    if (this.#retired || this.#path.draining) {
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

/** The first port that speaks HTTP/1.1 in the clear, or else the default port. */
function targetOf(instance: Instance): Target {
  const port = instance.ports.find(({ protocol, tls }) => protocol === 'http' && !tls) ?? instance.ports[0]
  return { addresses: instance.addresses, port: port?.number ?? 0 }
}
