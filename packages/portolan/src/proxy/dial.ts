import { connect, type OnReadOpts, type Socket } from 'node:net'

/** How to reach one instance: literal addresses, the preferred one first. Names are never looked up here. */
export interface Target {
  readonly addresses: readonly string[]
  readonly port: number
}

export interface Dialer {
  connected(socket: Socket): void
  failed(error: Error): void
}

/**
 * Connects to the first address that accepts: the second is tried when the first fails, or beside it when it has not
 * answered within `headStartMs` (RFC 8305, made small). Exactly one of the dialer's methods is called, unless the
 * returned function cancels.
 */
export function dial(target: Target, headStartMs: number, onread: OnReadOpts, dialer: Dialer): () => void {
  const racing = new Set<Socket>()
  let next = 0
  let settled = false
  let timer: NodeJS.Timeout | undefined

  const settle = (): void => {
    settled = true
    clearTimeout(timer)
  }
  const start = (): void => {
    const host = target.addresses[next++]
    if (host === undefined) return
    const socket = connect({ host, port: target.port, onread, noDelay: true, autoSelectFamily: false })
    racing.add(socket)
    socket.once('connect', () => {
      if (settled) return
      settle()
      socket.removeAllListeners()
      racing.delete(socket)
      for (const loser of racing) loser.destroy()
      dialer.connected(socket)
    })
    // Stays when the race is lost: a destroyed socket may still have an error to tell.
    socket.on('error', error => {
      racing.delete(socket)
      if (settled) return
      if (next < target.addresses.length) return start()
      if (racing.size > 0) return
      settle()
      dialer.failed(error)
    })
    if (next < target.addresses.length) timer = setTimeout(start, headStartMs)
  }
  start()
  return () => {
    if (settled) return
    settle()
    for (const socket of racing) socket.destroy()
  }
}
