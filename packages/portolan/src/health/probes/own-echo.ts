import type { Socket } from 'node:net'

/**
 * Whether a connection leads back to its own socket. The kernel picks the source port of a connection from the range
 * that servers' ports may be from, too; where nobody listens on this machine, the two may be the same, and TCP's
 * simultaneous open (RFC 9293 section 3.5) connects the socket with itself. A dead instance would seem alive.
 */
export function isOwnEcho(socket: Socket, port: number): boolean {
  return socket.localPort === port && socket.localAddress === socket.remoteAddress
}
