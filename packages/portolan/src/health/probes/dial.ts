import { connect as connectTcp, type OnReadOpts, type Socket } from 'node:net'
import { connect as connectTls, type SecureContext } from 'node:tls'
import { failing, nobodyThere, unconnected } from './findings.ts'
import { isOwnEcho } from './own-echo.ts'
import type { TlsPlan } from './plan.ts'
import type { Finding } from './probe.ts'
import { tlsFailure } from './tls-failure.ts'

export interface Dialling {
  readonly host: string
  readonly port: number
  readonly tls: TlsPlan | undefined
  readonly protocol: string
  readonly context: () => SecureContext
  readonly onread?: OnReadOpts
}

export interface Dialler {
  /** Everything that the socket has to tell from now on is the receiver's affair. */
  connected(): void
  failed(finding: Finding): void
}

/**
 * Opens a connection, with TLS where planned. Exactly one of the dialler's methods is called, unless the socket is
 * destroyed before; never within this call.
 */
export function dial(to: Dialling, dialler: Dialler): Socket {
  const { host, port, tls, onread } = to
  const begun = performance.now()
  const where = { host, port, noDelay: true, ...(onread !== undefined && { onread }) }
  let reached = false
  const socket =
    tls === undefined
      ? connectTcp({ ...where, autoSelectFamily: false })
      : connectTls({
          ...where,
          ...(tls.servername !== undefined && { servername: tls.servername }),
          rejectUnauthorized: tls.verify,
          secureContext: to.context(),
          ALPNProtocols: [to.protocol],
        })
  const fail = (error: NodeJS.ErrnoException): void => {
    const latencyMs = performance.now() - begun
    const finding = reached
      ? failing(tlsFailure(error), latencyMs)
      : unconnected(error, host, port, latencyMs)
    dialler.failed(finding)
  }
  const opened = (): void => {
    socket.removeListener('error', fail)
    dialler.connected()
  }
  socket.once('connect', () => {
    reached = true
    if (isOwnEcho(socket, port)) {
      socket.removeListener('error', fail)
      socket.on('error', () => {})
      socket.destroy()
      dialler.failed(nobodyThere(host, port, performance.now() - begun))
    } else if (tls === undefined) opened()
  })
  if (tls !== undefined) socket.once('secureConnect', opened)
  socket.on('error', fail)
  return socket
}
