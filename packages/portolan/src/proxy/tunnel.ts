import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Expiring } from './deadlines.ts'
import type { Queue } from './limits/memory.ts'
import type { ServiceMetrics } from './metrics.ts'
import { writeOut } from './outgoing.ts'
import { congestedAbove, type PathContext } from './path-context.ts'
import { readInto } from './shared-inbox.ts'

/** Between what a tunnel is. */
export interface TunnelEnds {
  readonly client: Socket
  /** What the client has sent already beyond its request. */
  readonly early: Buffer
  /** Its bytes come by `fromInstance`. */
  readonly instance: Socket
}

/** Silent peers are asked by the kernel after this long, and are gone when ten questions a second apart stay unanswered. */
const keepAliveAfterMs = 60_000

/**
 * Two connections that have become one stream of bytes each way, after a 101. A congested side stops the reading of the
 * other one; a side that ends is passed on as such, and the other direction goes on; a reset is passed on as a reset.
 */
export class Tunnel implements Expiring, Queue {
  deadline = 0
  readonly #path: PathContext
  readonly #metrics: ServiceMetrics
  readonly #client: Socket
  readonly #instance: Socket
  readonly #closed: () => void
  #open = 2
  #ended = false

  /** @param closed called once, when both sides are closed */
  constructor(
    path: PathContext,
    metrics: ServiceMetrics,
    { client, early, instance }: TunnelEnds,
    closed: () => void,
  ) {
    this.#path = path
    this.#metrics = metrics
    this.#client = client
    this.#instance = instance
    this.#closed = closed
    metrics.tunnels++
    path.deadlines.add(this)
    client.on('drain', () => this.#drained(instance))
    instance.on('drain', () => this.#drained(client))
    this.#join(client, instance)
    this.#join(instance, client)
    this.#moved()
    if (early.length > 0) this.#fromClient(early, early.length)
    readInto(path.inbox, client, (bytes, size) => this.#fromClient(bytes, size))
    if (client.readableEnded) this.#sideEnded(instance)
    else if (instance.writableLength > congestedAbove) client.pause()
    if (client.writableLength > congestedAbove) instance.pause()
  }

  fromInstance(bytes: Uint8Array, from: number, to: number): void {
    const { out } = this.#path
    this.#metrics.tunnelBytesOut += to - from
    this.#moved()
    out.span(bytes, from, to)
    writeOut(out, this.#client)
    if (this.#client.writableLength > congestedAbove) this.#instance.pause()
    if (this.queued > 0) this.#path.memory.note(this)
  }

  get queued(): number {
    return this.#client.writableLength + this.#instance.writableLength
  }

  flushed(): void {}

  expire(): void {
    for (const socket of [this.#client, this.#instance]) {
      if (socket.writableLength > 0) reset(socket)
      else socket.destroy()
    }
  }

  #fromClient(bytes: Uint8Array, size: number): void {
    const { out } = this.#path
    this.#metrics.tunnelBytesIn += size
    this.#moved()
    out.span(bytes, 0, size)
    writeOut(out, this.#instance)
    if (this.#instance.writableLength > congestedAbove) this.#client.pause()
    if (this.queued > 0) this.#path.memory.note(this)
  }

  #drained(other: Socket): void {
    this.#moved()
    other.resume()
  }

  /** What becomes of `other` when `socket` ends. */
  #join(socket: Socket, other: Socket): void {
    // Node would end our side as soon as the peer ends its own.
    socket.allowHalfOpen = true
    socket.setKeepAlive(true, keepAliveAfterMs)
    socket.on('end', () => this.#sideEnded(other))
    socket.on('close', () => {
      // Closed after both sides had ended, the other one does the same by itself; otherwise it must not look whole.
      if (!socket.readableEnded || !socket.writableFinished) reset(other)
      this.#open--
      if (this.#open > 0) return
      this.#path.deadlines.delete(this)
      this.#path.memory.forget(this)
      this.#metrics.tunnels--
      this.#closed()
    })
  }

  #sideEnded(other: Socket): void {
    this.#ended = true
    this.#moved()
    other.end()
  }

  /** Once one side has ended, the other one has no more time than a body. */
  #moved(): void {
    const { tunnelIdleMs, bodyIdleMs } = this.#path.settings
    this.deadline = this.#path.deadlines.in(this.#ended ? Math.min(tunnelIdleMs, bodyIdleMs) : tunnelIdleMs)
  }
}

function reset(socket: Socket): void {
  if (socket.destroyed) return
  if (socket instanceof TLSSocket) socket.destroy()
  else socket.resetAndDestroy()
}
