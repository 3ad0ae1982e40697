import type { ByteWriter } from './codec/codec.ts'

/** What a socket is given to write. A string has one character a byte. */
export type Outgoing = string | Buffer

/**
 * Up to here a message leaves as a latin1 string, which the engine writes from its own stack: no Buffer object, and
 * nothing for the collector, per message. Above, one copy into a Buffer is cheaper.
 */
const stringBelow = 4096

/** Empties the writer into something that may be kept. */
export function take(out: ByteWriter): Outgoing {
  const { length, bytes } = out
  out.length = 0
  return length < stringBelow ? bytes.toString('latin1', 0, length) : Buffer.from(bytes.subarray(0, length))
}
