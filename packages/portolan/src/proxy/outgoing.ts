import type { Socket } from 'node:net'
import type { ByteWriter } from './codec/codec.ts'

/** What of a request is kept to be sent (again). A string has one character a byte. */
export type Outgoing = string | Buffer

/** Up to here a latin1 string is cheaper than a Buffer object of its own, which costs the collector more. */
const stringBelow = 4096

/** Empties the writer into something that may be kept. */
export function take(out: ByteWriter): Outgoing {
  const { length, bytes } = out
  out.length = 0
  return length < stringBelow ? bytes.toString('latin1', 0, length) : Buffer.from(bytes.subarray(0, length))
}

/**
 * Writes what `out` holds straight out of its buffer. The kernel takes nearly every write at once, and then the buffer
 * is ours again when `write` returns: nothing is copied or allocated. When it has not (`writableLength` says so), the
 * buffer belongs to the socket until that is done, and `out` goes on with another.
 */
export function writeOut(out: ByteWriter, socket: Socket): void {
  const message = out.bytes.subarray(0, out.length)
  out.length = 0
  if (socket.writableLength > 0) {
    socket.write(Buffer.from(message))
    return
  }
  socket.write(message)
  if (socket.writableLength > 0) out.renew()
}
