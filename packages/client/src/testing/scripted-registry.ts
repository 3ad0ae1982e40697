import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ClientMessage, Instance, ServerMessage } from '@portolan/core'
import { type WebSocket, WebSocketServer } from 'ws'

type Requested = Extract<ClientMessage, { readonly seq: number }>

/** What a script may do with a request before the registry answers it by itself. `true` = leave it to the script. */
export type Script = (request: Requested, peer: Peer) => boolean | undefined

/** One connection as the scripted registry sees it. */
export interface Peer {
  readonly headers: IncomingMessage['headers']
  /** Everything that the client sent on this connection. */
  readonly received: ClientMessage[]
  /** How its connection was closed, once it is: 1006 = without a goodbye. */
  closed: number | undefined
  send(message: ServerMessage): void
  /** Text that need not be a message at all. */
  sendText(text: string): void
  sendBinary(): void
  /** Cuts the TCP connection. */
  drop(): void
  close(): void
}

interface Faults {
  /** Pings stop, frames are swallowed: a stopped process. */
  silent: boolean
  /** Upgrades are answered with this status instead. */
  refuse: number | undefined
  /** No `welcome` is sent. */
  mute: boolean
}

/**
 * A registry of a few lines that speaks the session protocol and does as a test says: it drops, falls silent, sends
 * garbage, answers out of order, comes back with another epoch. Not a model of the real one.
 */
export class ScriptedRegistry {
  readonly peers: Peer[] = []
  readonly faults: Faults = { silent: false, refuse: undefined, mute: false }
  readonly #instances = new Map<string, Instance[]>()
  readonly #watchers = new Map<Peer, Set<string>>()
  readonly #pingMs: number
  readonly #announcedMs: number
  #http: Server | undefined
  #sockets: WebSocketServer | undefined
  #timer: NodeJS.Timeout | undefined
  #script: Script = () => undefined
  #port = 0
  #incarnation = 0
  epoch = 'e1'
  revision = 1
  /** What `watch-routes` is answered with. */
  routes: ServerMessage & { type: 'routes' } = { type: 'routes', table: { routes: [], exposed: 'all' } }

  /** @param options how often it pings, and how often it says that it does (default: the same) */
  constructor(options: { readonly pingMs?: number; readonly announcedMs?: number } = {}) {
    this.#pingMs = options.pingMs ?? 100
    this.#announcedMs = options.announcedMs ?? this.#pingMs
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** Everything that came over all connections, in order. */
  get received(): ClientMessage[] {
    return this.peers.flatMap(peer => peer.received)
  }

  of<T extends ClientMessage['type']>(type: T): Extract<ClientMessage, { type: T }>[] {
    return this.received.filter(
      (message): message is Extract<ClientMessage, { type: T }> => message.type === type,
    )
  }

  script(script: Script): void {
    this.#script = script
  }

  /** Starts, on the port it had before if it was stopped. */
  async start(): Promise<this> {
    const http = createServer((_, response) => response.writeHead(404).end())
    const sockets = new WebSocketServer({ noServer: true })
    http.on('upgrade', (request, socket, head) => {
      if (this.faults.refuse !== undefined) {
        const body = JSON.stringify({ title: 'no', detail: 'the script says no' })
        socket.end(
          `HTTP/1.1 ${this.faults.refuse} No\r\ncontent-type: application/problem+json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
        )
        return
      }
      sockets.handleUpgrade(request, socket, head, ws => this.#accept(ws, request))
    })
    http.listen(this.#port, '127.0.0.1')
    await once(http, 'listening')
    this.#port = (http.address() as AddressInfo).port
    this.#http = http
    this.#sockets = sockets
    this.#timer = setInterval(() => {
      if (!this.faults.silent) for (const ws of sockets.clients) ws.ping()
    }, this.#pingMs)
    return this
  }

  /** Ends as SIGKILL would: every connection is cut. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    for (const ws of this.#sockets?.clients ?? []) ws.terminate()
    const http = this.#http
    this.#http = undefined
    if (http === undefined) return
    http.closeAllConnections()
    await new Promise(resolve => http.close(resolve))
  }

  /** Replaces a service's members and tells its watchers, as one delta. */
  set(service: string, instances: Instance[], reason: 'goodbye' | 'removed' = 'goodbye'): void {
    const before = this.#instances.get(service) ?? []
    this.#instances.set(service, instances)
    this.revision += 1
    const ids = new Set(instances.map(({ id }) => id))
    const gone = before.filter(({ id }) => !ids.has(id)).map(({ id }) => ({ id, reason }))
    for (const [peer, watched] of this.#watchers) {
      if (!watched.has(service)) continue
      peer.send({ type: 'delta', service, namespace: 'default', cursor: this.cursor, put: instances, gone })
    }
  }

  /** One more member, told as a delta that speaks of nobody else. */
  add(service: string, instance: Instance): void {
    this.#instances.set(service, [...(this.#instances.get(service) ?? []), instance])
    this.revision += 1
    for (const [peer, watched] of this.#watchers) {
      if (!watched.has(service)) continue
      const { cursor } = this
      peer.send({ type: 'delta', service, namespace: 'default', cursor, put: [instance], gone: [] })
    }
  }

  /** Forgets members without telling anybody: what a restored backup does. */
  forget(service: string, instances: Instance[] = []): void {
    this.#instances.set(service, instances)
  }

  get cursor(): string {
    return `${this.epoch}.${this.revision}`
  }

  snapshot(service: string): ServerMessage {
    const instances = this.#instances.get(service) ?? []
    return { type: 'snapshot', service, namespace: 'default', cursor: this.cursor, instances }
  }

  #accept(ws: WebSocket, request: IncomingMessage): void {
    const send = (message: ServerMessage) => ws.send(JSON.stringify(message))
    const peer: Peer = {
      headers: request.headers,
      received: [],
      closed: undefined,
      send,
      sendText: text => ws.send(text),
      sendBinary: () => ws.send(new Uint8Array(3)),
      drop: () => ws.terminate(),
      close: () => ws.close(1001),
    }
    this.peers.push(peer)
    this.#watchers.set(peer, new Set())
    ws.on('close', code => {
      peer.closed = code
    })
    ws.on('close', () => this.#watchers.delete(peer))
    ws.on('error', () => {})
    ws.on('message', data => {
      const message = JSON.parse(data.toString()) as ClientMessage
      peer.received.push(message)
      if (this.faults.silent) return
      if (message.type === 'hello') return this.#welcome(message, peer)
      if ('seq' in message && this.#script(message, peer) !== true) this.#answer(message, peer)
    })
  }

  #welcome(hello: Extract<ClientMessage, { type: 'hello' }>, peer: Peer): void {
    if (this.faults.mute) return
    const session = hello.resume ?? randomUUID()
    peer.send({
      type: 'welcome',
      protocol: 1,
      session,
      epoch: this.epoch,
      pingMs: this.#announcedMs,
      leaseMs: 15_000,
    })
  }

  #answer(request: Requested, peer: Peer): void {
    const { seq } = request
    if (request.type === 'register') {
      this.#incarnation += 1
      peer.send({ type: 'done', seq, incarnation: this.#incarnation, cursor: this.cursor })
      return
    }
    if (request.type === 'watch') {
      this.#watchers.get(peer)?.add(request.service)
      if (request.from !== this.cursor) peer.send(this.snapshot(request.service))
    }
    if (request.type === 'unwatch') this.#watchers.get(peer)?.delete(request.service)
    if (request.type === 'watch-routes') peer.send(this.routes)
    peer.send({ type: 'done', seq })
    if (request.type === 'drain') {
      const { service, id } = request
      peer.send({ type: 'may-stop', service, namespace: 'default', id, acknowledged: true })
    }
  }
}

/** An instance as a registry would tell of it. */
export function instanceOf(service: string, id: string, port = 80, more: Partial<Instance> = {}): Instance {
  return {
    namespace: 'default',
    service,
    id,
    addresses: ['127.0.0.1'],
    ports: [{ name: 'http', number: port, protocol: 'http', tls: false }],
    weight: 1,
    tags: [],
    metadata: {},
    source: 'session',
    owner: 'anonymous',
    incarnation: 1,
    causes: [],
    ...more,
  }
}
