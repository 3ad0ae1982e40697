/** So much is kept for a message that has begun, at first. */
const leastOwn = 512
const nothing = Buffer.alloc(0)

/**
 * Cuts a stream into messages, each behind two bytes that say how long it is (RFC 1035 section 4.2.2), however it was cut
 * before. What has not come yet has no memory: whoever announces 65,535 bytes and sends three has three.
 */
export class Frames {
  #bytes: Buffer = nothing
  #at = 0
  #end = 0
  /** Whether there is room behind the end that is ours to write to. Messages that were handed out lie before it. */
  #isOwn = false

  /** Whether there are bytes of a message that is not handed out yet. */
  get hasBegun(): boolean {
    return this.#end > this.#at
  }

  /** Bytes of memory that it holds on to. */
  get held(): number {
    return this.#bytes.length
  }

  /** Takes what came. It must not change any more. */
  push(chunk: Buffer): void {
    if (!this.hasBegun) {
      this.#hold(chunk, chunk.length, false)
      return
    }
    const left = this.#end - this.#at
    if (!this.#isOwn || this.#bytes.length - this.#end < chunk.length) {
      this.#keep(Math.max(leastOwn, left * 2, left + chunk.length))
    }
    chunk.copy(this.#bytes, this.#end)
    this.#end += chunk.length
  }

  /** The next whole message, which nobody writes to any more; `undefined`: it has not come yet. */
  next(): Buffer | undefined {
    const left = this.#end - this.#at
    const length = left < 2 ? left : this.#bytes.readUInt16BE(this.#at)
    if (left < 2 + length) {
      // A few bytes must not hold on to the many that they came with, nor nothing to anything.
      if (left === 0) this.clear()
      else if (!this.#isOwn) this.#keep(Math.max(leastOwn, left))
      return undefined
    }
    const from = this.#at + 2
    this.#at = from + length
    return this.#bytes.subarray(from, this.#at)
  }

  /** Forgets what there is. */
  clear(): void {
    this.#hold(nothing, 0, false)
  }

  #keep(size: number): void {
    const own = Buffer.allocUnsafeSlow(size)
    this.#bytes.copy(own, 0, this.#at, this.#end)
    this.#hold(own, this.#end - this.#at, true)
  }

  #hold(bytes: Buffer, end: number, isOwn: boolean): void {
    this.#bytes = bytes
    this.#at = 0
    this.#end = end
    this.#isOwn = isOwn
  }
}

/** A message behind its length, as it goes out: in one piece, since some take a length that comes alone amiss (RFC 7766 section 8). */
export function framed(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(2 + message.length)
  frame.writeUInt16BE(message.length)
  frame.set(message, 2)
  return frame
}
