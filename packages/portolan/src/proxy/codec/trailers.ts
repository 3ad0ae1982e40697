import { CR, LF } from './bytes.ts'
import { looksLike } from './field-values.ts'
import { FieldTable, refused } from './fields.ts'
import { field } from './known-fields.ts'
import type { CodecLimits } from './limits.ts'
import { type Refusal, refusals } from './refusal.ts'
import type { SpanSink } from './span-sink.ts'

const crlf = Uint8Array.of(CR, LF)

/**
 * The trailer section of one chunked body. It is held back until it is whole, since only then is it known to be
 * well-formed; fields that frame, route or name hops are left out of it (RFC 9110 section 6.5.1), and so are those that the
 * gateway itself sets or may withhold: what a recipient takes trailers for, we can't know.
 */
export class TrailerSection {
  done = false
  refusal: Refusal | undefined
  private readonly limit: number
  private readonly fields = new FieldTable()
  private bytes = new Uint8Array(256)
  private length = 0

  constructor(limits: CodecLimits) {
    this.limit = limits.head
  }

  begin(): void {
    this.done = false
    this.refusal = undefined
    this.length = 0
    this.fields.begin(0)
  }

  /** Returns the position after what belongs to the section, or `refused`. */
  read(source: Uint8Array, from: number, end: number): number {
    const before = this.length
    const taken = Math.min(end - from, this.limit - before)
    this.append(source, from, from + taken)
    const to = this.fields.read(this.bytes, this.length)
    if (to >= 0) {
      this.done = true
      return from + (to - before)
    }
    if (to !== refused && this.length < this.limit) return end
    this.refusal = this.fields.refusal ?? refusals.headTooLarge
    return refused
  }

  /** @param withheld further names that are left out, in lower case and with `-` for `_` */
  passOn(sink: SpanSink, withheld: readonly string[]): void {
    const { fields, bytes } = this
    for (let i = 0; i < fields.count; i++) {
      const from = fields.lineStart(i)
      const id = fields.id(i)
      if (id !== field.other && id !== field.date) continue
      if (withheld.some(name => looksLike(bytes, from, fields.nameEnd(i), name))) continue
      sink.span(bytes, from, fields.lineEnd(i))
    }
    sink.span(crlf, 0, 2)
  }

  private append(source: Uint8Array, from: number, to: number): void {
    const needed = this.length + (to - from)
    if (needed > this.bytes.length) {
      const larger = new Uint8Array(Math.min(this.limit, Math.max(needed, this.bytes.length * 2)))
      larger.set(this.bytes.subarray(0, this.length))
      this.bytes = larger
    }
    this.bytes.set(source.subarray(from, to), this.length)
    this.length = needed
  }
}
