import { ChunkedReader } from './chunked.ts'
import type { Framing } from './field-values.ts'
import { refused } from './fields.ts'
import type { CodecLimits } from './limits.ts'
import type { Refusal } from './refusal.ts'
import type { BodyForm, SpanSink } from './span-sink.ts'

/**
 * Finds where a body ends and passes its bytes on. One is kept per direction of a connection and used again.
 * Pure and incremental: however the bytes are split, the sink gets the same ones.
 */
export class BodyReader {
  /** Whether the body's last byte has been read. `until-close` bodies are never done by themselves. */
  done = true
  refusal: Refusal | undefined
  private framing: Framing = 'none'
  private remaining = 0
  private readonly limits: CodecLimits
  private chunked: ChunkedReader | undefined

  constructor(limits: CodecLimits) {
    this.limits = limits
  }

  begin(framing: Framing, contentLength: number, form: BodyForm = 'wire'): void {
    this.framing = framing
    this.remaining = contentLength
    this.refusal = undefined
    this.done = framing === 'none' || (framing === 'length' && contentLength === 0)
    if (framing !== 'chunked') return
    this.chunked ??= new ChunkedReader(this.limits)
    this.chunked.begin(form)
  }

  /** Refuses a chunked body that has more content than `most` bytes. After `begin`, and before anything has been read. */
  limitTo(most: number): void {
    if (this.framing === 'chunked' && this.chunked !== undefined) this.chunked.most = most
  }

  /**
   * Leaves trailer fields of these names out, in lower case and with `-` for `_`; `_` is taken for `-` in what comes. After
   * `begin`, and before anything has been read.
   */
  withhold(names: readonly string[]): void {
    const { chunked } = this
    if (this.framing !== 'chunked' || chunked === undefined || names.length === 0) return
    chunked.withheld = chunked.withheld.length === 0 ? names : [...chunked.withheld, ...names]
  }

  /**
   * Reads body bytes from [from, end) and gives them to `sink`. Returns the position after those that belong to the
   * body (what follows is the next message's), or `refused` with `refusal` set.
   */
  read(bytes: Uint8Array, from: number, end: number, sink: SpanSink): number {
    if (this.done || from === end) return from
    if (this.framing === 'length') {
      const to = Math.min(end, from + this.remaining)
      this.remaining -= to - from
      this.done = this.remaining === 0
      sink.span(bytes, from, to)
      return to
    }
    if (this.framing === 'until-close' || this.chunked === undefined) {
      sink.span(bytes, from, end)
      return end
    }
    const to = this.chunked.read(bytes, from, end, sink)
    if (to === refused) this.refusal = this.chunked.refusal
    else this.done = this.chunked.done
    return to
  }
}
