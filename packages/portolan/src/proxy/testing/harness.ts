import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { type RouteTable, seededRandom } from '@portolan/core'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import type { FilterEntry } from '../filters/filters.ts'
import { type Gateway, openGateway } from '../gateway.ts'
import type { GatewaySettings } from '../settings.ts'
import { instanceOf, StaticResolver } from './static-resolver.ts'

/** Collects what a test opens, and closes it all in reverse order. */
export class Opened {
  readonly #closers: (() => unknown)[] = []

  add(close: () => unknown): void {
    this.#closers.push(close)
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close()
  }
}

export interface TestGateway {
  readonly gateway: Gateway
  readonly resolver: StaticResolver
  readonly registry: Registry
}

/** A gateway that sends everything to the service `order`, whose instances listen on `ports`. */
export async function gatewayFor(
  opened: Opened,
  ports: readonly number[],
  settings: Partial<GatewaySettings> = {},
  routes: RouteTable = { routes: [{ match: { path: '/' }, service: 'order' }], exposed: 'all' },
  filters?: readonly FilterEntry[],
): Promise<TestGateway> {
  const resolver = new StaticResolver()
  if (ports.length > 0) resolver.give('order', instancesOf(ports))
  const registry = new Registry()
  const gateway = await openGateway({
    resolver,
    routes,
    settings: { listen: [{ host: '127.0.0.1', port: 0 }], sweepMs: 20, drainMs: 500, ...settings },
    clock: { now: () => performance.now() },
    random: seededRandom(7),
    log: pino({ level: 'silent' }),
    metrics: registry,
    ...(filters === undefined ? {} : { filters }),
  })
  opened.add(() => gateway.close())
  return { gateway, resolver, registry }
}

export function instancesOf(ports: readonly number[]) {
  return ports.map((port, index) => instanceOf('order', `order-${index + 1}`, port))
}

/** A well-behaved upstream. */
export async function httpUpstream(opened: Opened, listener: RequestListener): Promise<number> {
  const server = createHttpServer({ keepAliveTimeout: 60_000 }, listener)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  opened.add(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

export interface RawUpstream {
  readonly port: number
  readonly server: Server
  readonly sockets: Set<Socket>
  /** Connections accepted so far. */
  accepted(): number
  /** Every byte received so far, one character each. */
  received(): string
  kill(): void
}

/** An upstream that does what `onData` says with each piece that comes: for mischief. */
export async function rawUpstream(
  opened: Opened,
  onData: (socket: Socket, text: string) => void,
  host = '127.0.0.1',
  port = 0,
): Promise<RawUpstream> {
  const sockets = new Set<Socket>()
  let accepted = 0
  let received = ''
  const server = createServer(socket => {
    accepted++
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', chunk => {
      const text = chunk.toString('latin1')
      received += text
      onData(socket, text)
    })
  })
  await new Promise<void>(resolve => server.listen(port, host, resolve))
  const kill = () => {
    server.close()
    for (const socket of sockets) socket.resetAndDestroy()
  }
  opened.add(kill)
  return {
    port: (server.address() as AddressInfo).port,
    server,
    sockets,
    accepted: () => accepted,
    received: () => received,
    kill,
  }
}

/** A port that nobody listens on. */
export async function deadPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

/** Answers every request head in what comes with `response`. */
export function answering(response: string): (socket: Socket, text: string) => void {
  return (socket, text) => {
    const heads = text.split('\r\n\r\n').length - 1
    for (let i = 0; i < heads; i++) socket.write(response, 'latin1')
  }
}

/** For answers that are to pass as they are. */
export const dated = 'Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n'
export const hello = `HTTP/1.1 200 OK\r\n${dated}Content-Length: 5\r\n\r\nhello`

/** A client that sends and sees bytes. */
export class RawClient {
  readonly socket: Socket
  received = ''
  ended = false
  closed = false
  error: Error | undefined

  constructor(opened: Opened, port: number) {
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    this.socket.on('data', chunk => {
      this.received += chunk.toString('latin1')
    })
    this.socket.on('end', () => {
      this.ended = true
    })
    this.socket.on('close', () => {
      this.closed = true
    })
    this.socket.on('error', error => {
      this.error = error
    })
    opened.add(() => this.socket.destroy())
  }

  send(text: string): this {
    this.socket.write(text, 'latin1')
    return this
  }

  async until(text: string | (() => boolean)): Promise<string> {
    await eventually(
      typeof text === 'string' ? () => this.received.includes(text) : text,
      () => this.received,
    )
    return this.received
  }

  /** What has come when the gateway has closed its side. */
  async untilEnd(): Promise<string> {
    await eventually(
      () => this.ended || this.closed,
      () => this.received,
    )
    return this.received
  }
}

/** Waits until `condition` holds; fails after 5 s, showing `state`. */
export async function eventually(condition: () => boolean, state: () => string = () => ''): Promise<void> {
  const end = performance.now() + 5000
  while (!condition()) {
    if (performance.now() > end)
      throw new Error(`it never came to that: ${condition} ${state().slice(0, 2000)}`)
    await new Promise(resolve => setTimeout(resolve, 2))
  }
}

/** Waits until `read` gives something above 0 that has stood still for 150 ms: whatever was moving is stuck. */
export async function standstill(read: () => number): Promise<number> {
  let value = read()
  let since = performance.now()
  await eventually(() => {
    const now = read()
    if (now !== value) since = performance.now()
    value = now
    return value > 0 && performance.now() - since > 150
  })
  return value
}
