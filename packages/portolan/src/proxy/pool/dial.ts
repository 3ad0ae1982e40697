import { connect as connectTcp, type OnReadOpts, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { race } from '@portolan/core'

/** How to reach one instance: literal addresses, the preferred one first. Names are never looked up here. */
export interface Target {
  readonly addresses: readonly string[]
  readonly port: number
  /** Absent = in the clear. Certificates are checked: for `servername`, or else for the address. */
  readonly tls?: { readonly servername?: string }
  /** Told of the address that a connection came about to. */
  readonly worked?: (address: string) => void
}

export interface Dialer {
  connected(socket: Socket): void
  /** `tls`: somebody accepted the connection, but no TLS came about. */
  failed(why: 'connect' | 'tls', error: Error): void
}

/**
 * Connects to the first address that accepts: the second is tried when the first fails, or beside it when it has not
 * answered within `headStartMs`. Exactly one of the dialer's methods is called, unless the returned function cancels.
 */
export function dial(target: Target, headStartMs: number, onread: OnReadOpts, dialer: Dialer): () => void {
  let reached = false
  let accepted = ''
  return race<Socket>({
    addresses: target.addresses,
    headStartMs,
    start(host, opened, failed) {
      const where = { host, port: target.port, onread, noDelay: true }
      const socket =
        target.tls === undefined
          ? connectTcp({ ...where, autoSelectFamily: false })
          : connectTls({ ...where, ...target.tls, ALPNProtocols: ['http/1.1'] })
      if (target.tls !== undefined) {
        socket.once('connect', () => {
          reached = true
        })
      }
      socket.once(target.tls === undefined ? 'connect' : 'secureConnect', () => {
        socket.removeListener('error', failed)
        accepted = host
        opened(socket)
      })
      socket.on('error', failed)
      return () => {
        // A socket that is being destroyed may still have an error to tell.
        socket.on('error', () => {})
        socket.destroy()
      }
    },
    after(ms, run) {
      const timer = setTimeout(run, ms)
      return () => clearTimeout(timer)
    },
    won: socket => {
      target.worked?.(accepted)
      dialer.connected(socket)
    },
    lost: error => dialer.failed(reached ? 'tls' : 'connect', error),
  })
}
