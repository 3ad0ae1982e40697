import type { Socket } from 'node:net'

/** The address that a peer calls from, an IPv4 one as IPv4 even on a dual-stack listener. */
export function peerAddress(socket: Socket): string | undefined {
  return socket.remoteAddress?.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '')
}
