import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import type { Clock, HostPort, Milliseconds } from '@portolan/core'
import type { Log } from '../../observe/log.ts'
import { readClientAddress } from '../trust/networks.ts'
import { listenFault } from './listen-fault.ts'
import { Connection, type Floor, type Handle } from './tcp/connection.ts'
import { crowdedAbove, type TcpLimits, tcpDefaults } from './tcp/limits.ts'
import { TcpCounts } from './tcp/metrics.ts'
import { Room } from './tcp/room.ts'

export interface TcpOptions {
  readonly listen: HostPort
  /** Of this listener alone; what is not said is {@link tcpDefaults}. */
  readonly limits?: Partial<TcpLimits>
  readonly handle: Handle
  readonly log: Pick<Log, 'warn' | 'error'>
  /** May be shared with other listeners; then they share the limit for memory, too. */
  readonly counts?: TcpCounts
  /** Calls `sweep` so often until what it returns is called. Default: a timer. */
  readonly every?: (ms: Milliseconds, sweep: () => void) => () => void
  /** What long turns are known by. Default: `performance.now`. */
  readonly clock?: Clock
}

export interface TcpServer {
  readonly address: string
  readonly port: number
  /** Takes no more queries, answers those under way within `closeMs`, and ends every connection. */
  close(): Promise<void>
}

/** How closely all times are kept; nothing ends early. */
export const sweepMs: Milliseconds = 250
/** The same trouble is told once in so long: whoever makes it may make a lot. */
const logEveryMs: Milliseconds = 10_000

/**
 * Answers DNS over TCP (RFC 7766).
 * @throws Fault `address_in_use`, `config_invalid`
 */
export async function openTcp(options: TcpOptions): Promise<TcpServer> {
  const { log, every = realTimer } = options
  const floor = floorOf(options)
  const { room, limits, counts } = floor
  const notAccepted = seldom(floor, error => log.warn({ err: error }, 'a DNS connection was not accepted'))
  const server = await listening(options, socket => accept(socket, floor))
  // Short of descriptors, for one: there will be others.
  server.on('error', error => {
    counts.refused.accept++
    notAccepted(error)
  })
  const stop = every(sweepMs, () => {
    floor.now += sweepMs
    const idleMs = room.size > limits.connections * crowdedAbove ? limits.crowdedIdleMs : limits.idleMs
    for (const connection of room) connection.check(idleMs)
  })
  const shut = async (): Promise<void> => {
    const closed = new Promise<void>(resolve => server.close(() => resolve()))
    for (const connection of [...room]) connection.drain()
    const grace = setTimeout(() => {
      for (const connection of [...room]) connection.destroy()
    }, limits.closeMs)
    await closed
    clearTimeout(grace)
    stop()
  }
  const { address, port } = server.address() as AddressInfo
  let closing: Promise<void> | undefined
  return {
    address,
    port,
    close() {
      closing ??= shut()
      return closing
    },
  }
}

function floorOf(options: TcpOptions): Floor {
  const { limits: given, handle, log, counts = new TcpCounts(), clock = performance } = options
  const limits: TcpLimits = { ...tcpDefaults, ...given }
  const room = new Room<Connection>(limits.connections, limits.connectionsPerClient)
  const floor: Floor = { limits, handle, counts, room, clock, now: 0, failed: error => failed(error) }
  const failed = seldom(floor, error => log.error({ err: error }, 'a DNS query over TCP was not answered'))
  return floor
}

function accept(socket: Socket, floor: Floor): void {
  const { remoteAddress: address, remotePort: port } = socket
  // It has gone again.
  if (address === undefined || port === undefined) {
    socket.destroy()
    return
  }
  const client = clientAt(address)
  const inTheWay = floor.room.inTheWayOf(client)
  if (inTheWay === 'full') {
    floor.counts.refused.busy++
    socket.destroy()
    return
  }
  inTheWay?.end('gave-way')
  new Connection(socket, { address, port }, client, floor).begin()
}

/** One IPv4 address, or an IPv6 network of 56 bits, which is what one customer gets. */
function clientAt(address: string): string {
  const bytes = readClientAddress(address)
  if (bytes === undefined) return address
  return bytes.length === 4 ? bytes.join('.') : bytes.subarray(0, 7).join(':')
}

/** Tells of the first of many. */
function seldom(floor: Pick<Floor, 'now'>, tell: (error: unknown) => void): (error: unknown) => void {
  let toldAt = Number.NEGATIVE_INFINITY
  return error => {
    if (floor.now - toldAt < logEveryMs) return
    toldAt = floor.now
    tell(error)
  }
}

async function listening(
  { listen: { host, port } }: TcpOptions,
  accept: (socket: Socket) => void,
): Promise<Server> {
  // Half-open, since a client may end its side before it has read its answers.
  const server = createServer({ allowHalfOpen: true, noDelay: true }, accept)
  await new Promise<void>((resolve, reject) => {
    const failed = (error: Error): void => reject(listenFault(error, { host, port }, 'TCP'))
    server.once('error', failed)
    // `::` leaves IPv4 to another listener, as it does over UDP.
    server.listen({ host, port, ipv6Only: host.includes(':'), backlog: 1024 }, () => {
      server.off('error', failed)
      resolve()
    })
  })
  return server
}

function realTimer(ms: Milliseconds, sweep: () => void): () => void {
  const timer = setInterval(sweep, ms)
  return () => clearInterval(timer)
}
