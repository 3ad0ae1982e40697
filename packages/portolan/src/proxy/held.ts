import type { Milliseconds } from '@portolan/core'
import type { ByteWriter } from './codec/codec.ts'
import type { Memory } from './limits/memory.ts'
import { type Outgoing, take } from './outgoing.ts'
import type { UpstreamConnection } from './upstream-connection.ts'

/** What has been read of one request, for as long as it may have to be sent (again). */
export class Held {
  /** In the order in which they came. */
  readonly pieces: Outgoing[] = []
  /** Bytes. */
  size = 0
  /** Whether it may be sent once more after it has been written. */
  replayable = false
  readonly #memory: Memory

  constructor(memory: Memory) {
    this.#memory = memory
  }

  /** Whether it would be more than is kept, with so many bytes besides; where memory is short, nothing is. */
  isFull(limit: number, besides = 0): boolean {
    return this.size + besides > (this.#memory.isShort ? 0 : limit)
  }

  keep(piece: Outgoing): void {
    this.pieces.push(piece)
    this.#grow(piece.length)
  }

  /** Keeps what `out` holds, and empties it. */
  takeIn(out: ByteWriter): void {
    if (out.length > 0) this.keep(take(out))
  }

  /** Puts a piece behind the first one. */
  insert(piece: Outgoing): void {
    this.pieces.splice(1, 0, piece)
    this.#grow(piece.length)
  }

  /** Says in the head, where such a field stands, that so much time is left. */
  retime(field: string, ms: Milliseconds): void {
    const line = new RegExp(`(^|\\r\\n)${field}: \\d+\\r\\n`)
    // The head is all in the first piece, or its end in the second one.
    for (let i = 0; i < Math.min(2, this.pieces.length); i++) {
      const text = this.pieces[i]?.toString('latin1') ?? ''
      if (!line.test(text)) continue
      this.pieces[i] = text.replace(line, `$1${field}: ${Math.max(0, Math.ceil(ms))}\r\n`)
      return
    }
  }

  /** Puts a text in place of another one of the same length, where that stands first. */
  amend({ from, to }: { readonly from: string; readonly to: string }): void {
    for (const [index, piece] of this.pieces.entries()) {
      const at = piece.indexOf(from)
      if (at < 0) continue
      if (typeof piece === 'string') this.pieces[index] = piece.replace(from, () => to)
      else piece.write(to, at, 'latin1')
      return
    }
  }

  /** Writes what has just been read, and keeps a copy only where it may have to be written again. */
  pass(out: ByteWriter, connection: UpstreamConnection, limit: number): void {
    if (this.isFull(limit, out.length)) this.forget()
    if (!this.replayable) {
      connection.writeOut(out)
      return
    }
    const piece = take(out)
    this.keep(piece)
    connection.write(piece)
  }

  /** Writes all that is held. */
  send(connection: UpstreamConnection): void {
    for (const piece of this.pieces) connection.write(piece)
    if (!this.replayable) this.forget()
  }

  /** From now on what is written is gone. */
  forget(): void {
    this.pieces.length = 0
    this.#grow(-this.size)
    this.replayable = false
  }

  #grow(bytes: number): void {
    this.size += bytes
    this.#memory.kept += bytes
  }
}
