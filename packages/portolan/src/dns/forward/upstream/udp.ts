import { createSocket } from 'node:dgram'
import type { HostPort } from '@portolan/core'

/** Nobody is there; or we are short of something ourselves. */
export type UdpFailure = 'unreachable' | 'ours'

/** What the system says when it has no descriptors, ports or memory left. */
const shortages = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL', 'EAGAIN'])

/**
 * Sends one message from a port of its own, which the system picks (RFC 5452 section 4.5), and hands on what comes from
 * that upstream alone. The port is closed once `receive` is done, or by the returned function. `receive` is not called
 * within the call.
 */
export function askByUdp(
  { host, port }: HostPort,
  message: Buffer,
  receive: (received: Buffer | UdpFailure) => 'more' | 'done',
): () => void {
  const family = host.includes(':') ? 6 : 4
  const socket = createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    // It is an address already, and nobody's name service should be asked for it.
    lookup: (address, _options, found) => found(null, address, family),
  })
  let isOpen = true
  const close = (): void => {
    if (!isOpen) return
    isOpen = false
    socket.close()
  }
  const take = (received: Buffer | UdpFailure): void => {
    if (isOpen && receive(received) === 'done') close()
  }
  const fail = ({ code = '' }: NodeJS.ErrnoException): void => {
    take(shortages.has(code) ? 'ours' : 'unreachable')
  }
  // Since `lookup` calls back at once, a port that we do not get is told of within `connect`: before anybody has what we return.
  socket.on('error', thrown => process.nextTick(fail, thrown))
  socket.on('message', bytes => take(bytes))
  socket.once('connect', () => {
    if (isOpen) socket.send(message, thrown => thrown && fail(thrown))
  })
  socket.connect(port, host)
  return close
}
