import type { Socket } from 'node:net'
import type { ByteWriter } from './codec/codec.ts'

/** What of a request is kept to be sent (again). A string has one character a byte. */
export type Outgoing = string | Buffer

/**
 * Up to here a message is written as a latin1 string: the engine copies it to its own stack and writes from there,
 * which is cheaper than a view of a buffer and nothing that the collector must track outside its heap (measured:
 * 0.5 µs of 7 at 200 bytes; from 1 KiB on the view wins).
 */
const stringBelow = 1024

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
  if (out.length < stringBelow) {
    socket.write(take(out), 'latin1')
    return
  }
  const message = out.bytes.subarray(0, out.length)
  out.length = 0
  if (socket.writableLength > 0) {
    socket.write(Buffer.from(message))
    return
  }
  socket.write(message)
  if (socket.writableLength > 0) out.renew()
}
