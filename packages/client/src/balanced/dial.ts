import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { type Milliseconds, race } from '@portolan/core'
import { errors } from 'undici'
import type { TlsOptions } from '../session/wire.ts'

/** How to reach one instance: literal addresses (zone ids and all), the preferred one first. */
export interface Target {
  readonly addresses: readonly string[]
  readonly port: number
  /** Absent = in the clear. The certificate is checked unless this says otherwise. */
  readonly tls?: TlsOptions
}

/** Before the second address of an instance is tried beside the first (RFC 8305, made small). */
const headStartMs = 200

/** A connection to whichever address answers first, within `timeoutMs`; `done` is called once. */
export function dial(
  target: Target,
  timeoutMs: Milliseconds,
  done: (error: Error | null, socket: Socket | null) => void,
): void {
  const timer = setTimeout(() => {
    callOff()
    const where = target.addresses.join(', ')
    done(
      new errors.ConnectTimeoutError(`no connection to ${where} port ${target.port} in ${timeoutMs} ms`),
      null,
    )
  }, timeoutMs)
  const callOff = race<Socket>({
    addresses: target.addresses,
    headStartMs,
    start: (address, opened, failed) => {
      const socket = open(address, target)
      socket.once(target.tls === undefined ? 'connect' : 'secureConnect', () => {
        socket.off('error', failed)
        opened(socket)
      })
      socket.on('error', failed)
      return () => {
        // A socket that is being destroyed may still have an error to tell.
        socket.on('error', ignore)
        socket.destroy()
      }
    },
    after: (ms, run) => {
      const wait = setTimeout(run, ms)
      return () => clearTimeout(wait)
    },
    won: socket => {
      clearTimeout(timer)
      done(null, socket)
    },
    lost: error => {
      clearTimeout(timer)
      done(error, null)
    },
  })
}

function open(host: string, { port, tls }: Target): Socket {
  const where = { host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 }
  if (tls === undefined) return connectTcp({ ...where, autoSelectFamily: false })
  return connectTls({ ...where, ALPNProtocols: ['http/1.1'], ...tls })
}

/** The name that an instance's certificate is for: its host's, or none, and then its address counts. */
export function servernameOf(host: string | undefined): string | undefined {
  return host === undefined || isIP(host) !== 0 ? undefined : host
}

function ignore(): void {}
