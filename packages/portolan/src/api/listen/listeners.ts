import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { Fault } from '@portolan/core'
import type { Log } from '../../observe/log.ts'
import { writeProblemTo } from '../problem/raw.ts'
import { type ApiLimits, defaultPort, type ListenAddress, type TlsFiles } from '../settings.ts'
import { followCertificate, readCertificate } from './tls.ts'

type UpgradeListener = (request: Parameters<RequestListener>[0], socket: Duplex, head: Buffer) => void

export interface ListenOptions {
  /** Absent: port 7400 of 127.0.0.1 and, where present, ::1. */
  readonly listen: readonly ListenAddress[] | undefined
  readonly tls: TlsFiles | undefined
  readonly limits: ApiLimits
  readonly log: Log
  readonly request: RequestListener
  readonly upgrade: UpgradeListener
}

export interface Listeners {
  /** As URLs: `http://127.0.0.1:7400`, `https://[::1]:7400`. */
  readonly addresses: readonly string[]
  /** Takes no new connections; ends those that are idle at once and the rest after `graceMs`. */
  close(graceMs: number): Promise<void>
}

/** What a listener that nobody configured may lack: a machine without IPv6 is no error. */
const absentHere = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT'])

/**
 * Opens every listener, or none.
 * @throws Fault `address_in_use`, `config_invalid`
 */
export async function openListeners(options: ListenOptions): Promise<Listeners> {
  const open: (Server | TlsServer)[] = []
  const wanted = options.listen ?? [
    { host: '127.0.0.1', port: defaultPort },
    { host: '::1', port: defaultPort },
  ]
  const certificate = options.tls === undefined ? undefined : readCertificate(options.tls)
  try {
    for (const { host, port } of wanted) {
      const server = certificate === undefined ? createServer(timesOf(options)) : secure(options, certificate)
      attach(server, options)
      const optional = options.listen === undefined && host === '::1'
      // Port 0 means "any", but the same on every address, so that one URL's port is the other's.
      const first = open[0]?.address() as AddressInfo | undefined
      if (await listen(server, host, port === 0 ? (first?.port ?? 0) : port, optional)) open.push(server)
    }
  } catch (thrown) {
    for (const server of open) server.close()
    throw thrown
  }
  const stopFollowing =
    options.tls === undefined ? undefined : followCertificate(options.tls, open.filter(isTls), options.log)
  return {
    addresses: open.map(server => urlOf(server)),
    async close(graceMs) {
      stopFollowing?.()
      await Promise.all(open.map(server => closeServer(server, graceMs)))
    },
  }
}

function timesOf({ limits }: ListenOptions) {
  return {
    maxHeaderSize: limits.head,
    headersTimeout: 10_000,
    requestTimeout: 30_000,
    connectionsCheckingInterval: 5000,
    // Longer than any usual client's idle time (90 s and less), so that the client is the one who closes: a server
    // that closes first races with the client's next request.
    keepAliveTimeout: 100_000,
    noDelay: true,
  }
}

function secure(options: ListenOptions, certificate: { cert: Buffer; key: Buffer }): TlsServer {
  return createTlsServer({ ...timesOf(options), ...certificate, minVersion: 'TLSv1.2' })
}

const isTls = (server: Server | TlsServer): server is TlsServer => 'setSecureContext' in server

function attach(server: Server | TlsServer, options: ListenOptions): void {
  server.maxConnections = options.limits.connections
  server.maxRequestsPerSocket = 0
  server.on('request', options.request)
  server.on('upgrade', options.upgrade)
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => refuseGarbage(error, socket))
}

/** The parser's complaints, before there is a request. */
function refuseGarbage(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  if (error.code === 'HPE_HEADER_OVERFLOW') {
    writeProblemTo(
      socket,
      new Fault('invalid_request', 'the head of the request is too large', { source: 'caller' }),
      431,
    )
  } else if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    const hint = 'send the whole request within 30 s'
    writeProblemTo(
      socket,
      new Fault('request_timeout', 'the request did not arrive in time', { source: 'caller', hint }),
    )
  } else {
    writeProblemTo(socket, new Fault('invalid_request', 'this is no HTTP/1.1 request', { source: 'caller' }))
  }
}

/** After an outage, thousands connect within one second: who finds no room asks again only a second later. */
const backlog = 4096

/** False: this machine does not have the address, and it was not insisted upon. */
function listen(server: Server, host: string, port: number, optional: boolean): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      if (optional && absentHere.has(error.code ?? '')) resolve(false)
      else reject(listenFault(error, host, port))
    }
    server.once('error', onError)
    server.listen({ host, port, backlog }, () => {
      server.off('error', onError)
      resolve(true)
    })
  })
}

function listenFault(error: NodeJS.ErrnoException, host: string, port: number): Fault {
  const where = `${host.includes(':') ? `[${host}]` : host}:${port}`
  if (error.code === 'EADDRINUSE') {
    return new Fault('address_in_use', `${where} is in use`, {
      source: 'caller',
      cause: error,
      hint: 'end the program that listens there, or choose another port',
    })
  }
  return new Fault('config_invalid', `cannot listen on ${where}: ${error.message}`, {
    source: 'caller',
    cause: error,
  })
}

function urlOf(server: Server | TlsServer): string {
  const { address, port } = server.address() as AddressInfo
  return `${isTls(server) ? 'https' : 'http'}://${address.includes(':') ? `[${address}]` : address}:${port}`
}

function closeServer(server: Server, graceMs: number): Promise<void> {
  return new Promise(resolve => {
    const patience = setTimeout(() => server.closeAllConnections(), graceMs)
    server.close(() => {
      clearTimeout(patience)
      resolve()
    })
    server.closeIdleConnections()
  })
}
