import { connect } from 'node:net'
import type { HostPort } from '@portolan/core'

const lengthBytes = 2

/**
 * Sends one message over a connection of its own (RFC 7766 section 8) and hands on the first that comes back;
 * undefined: there is none. The connection is closed then, or by the returned function.
 */
export function askByTcp(
  { host, port }: HostPort,
  message: Buffer,
  receive: (bytes: Buffer | undefined) => void,
): () => void {
  const pieces: Buffer[] = []
  let received = 0
  let isOpen = true
  const socket = connect({ host, port, noDelay: true })
  const close = (): void => {
    isOpen = false
    socket.destroy()
  }
  const end = (bytes: Buffer | undefined): void => {
    if (!isOpen) return
    close()
    receive(bytes)
  }
  // One write: some resolvers take a length that comes alone for the whole (RFC 7766 section 8).
  const framed = Buffer.allocUnsafe(lengthBytes + message.length)
  framed.writeUInt16BE(message.length)
  message.copy(framed, lengthBytes)
  socket.once('connect', () => socket.write(framed))
  socket.on('data', piece => {
    pieces.push(piece)
    received += piece.length
    if (received < lengthBytes) return
    const whole = lengthOf(pieces)
    if (received >= lengthBytes + whole)
      end(Buffer.concat(pieces, received).subarray(lengthBytes, lengthBytes + whole))
  })
  socket.on('error', () => end(undefined))
  socket.on('close', () => end(undefined))
  return close
}

/** The first two bytes, which may have come one by one. */
function lengthOf(pieces: readonly Buffer[]): number {
  const [first, second] = pieces
  if (first === undefined) return 0
  return first.length >= lengthBytes ? first.readUInt16BE(0) : ((first[0] ?? 0) << 8) | (second?.[0] ?? 0)
}
