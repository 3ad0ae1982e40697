import { latin1 } from './bytes.ts'
import type { SpanSink } from './span-sink.ts'

/** Below this many bytes a loop beats the call into the engine that a bulk copy costs. */
const loopBelow = 48

/** Where outgoing bytes are gathered, so that a message's head and what is at hand of its body leave in one write. */
export class ByteWriter implements SpanSink {
  length = 0
  bytes: Buffer

  constructor(capacity: number) {
    this.bytes = Buffer.allocUnsafeSlow(capacity)
  }

  span(source: Uint8Array, from: number, to: number): void {
    const size = to - from
    this.reserve(size)
    const { bytes, length } = this
    if (size < loopBelow) {
      for (let i = 0; i < size; i++) bytes[length + i] = source[from + i] as number
    } else {
      bytes.set(size === source.length ? source : source.subarray(from, to), length)
    }
    this.length = length + size
  }

  /** Appends characters of one byte each. */
  text(text: string): void {
    this.reserve(text.length)
    const { bytes, length } = this
    for (let i = 0; i < text.length; i++) bytes[length + i] = text.charCodeAt(i)
    this.length = length + text.length
  }

  /** Goes on with another buffer: the present one is somebody else's now. */
  renew(): void {
    this.bytes = Buffer.allocUnsafeSlow(this.bytes.length)
    this.length = 0
  }

  /** What was gathered, one character a byte. */
  toString(): string {
    return latin1(this.bytes, 0, this.length)
  }

  private reserve(size: number): void {
    if (this.length + size <= this.bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.length + size))
    this.bytes.copy(larger, 0, 0, this.length)
    this.bytes = larger
  }
}
