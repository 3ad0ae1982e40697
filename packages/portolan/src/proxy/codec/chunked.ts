import { CR, hexValue, isValueByte, LF, SEMICOLON } from './bytes.ts'
import { refused } from './fields.ts'
import type { CodecLimits } from './limits.ts'
import { type Refusal, refusals } from './refusal.ts'
import type { BodyForm, SpanSink } from './span-sink.ts'
import { TrailerSection } from './trailers.ts'

const SIZE = 0
const EXTENSION = 1
const SIZE_LF = 2
const DATA = 3
const DATA_CR = 4
const DATA_LF = 5
const AFTER_LAST = 6
const FINAL_LF = 7
const TRAILERS = 8

const none: readonly string[] = []

/** 13 hex digits are 52 bits: exact in a double. Leading zeros count. */
const maxSizeDigits = 13

/**
 * Reads the chunked coding (RFC 9112 section 7.1), strictly: no white space around sizes, CRLF only. As `wire` the
 * framing goes through as it came but for extensions (hop-by-hop, and a known place to smuggle) and trailer fields that
 * must not be trailers.
 */
export class ChunkedReader {
  done = false
  refusal: Refusal | undefined
  /** Bytes of content that it may have. */
  most = Number.POSITIVE_INFINITY
  /** Names of trailer fields that are left out, in lower case and with `-` for `_`. */
  withheld: readonly string[] = none
  private readonly limits: CodecLimits
  private phase = SIZE
  private wire = true
  private size = 0
  private digits = 0
  private total = 0
  private extensions = 0
  private trailers: TrailerSection | undefined

  constructor(limits: CodecLimits) {
    this.limits = limits
  }

  begin(form: BodyForm): void {
    this.done = false
    this.refusal = undefined
    this.phase = SIZE
    this.wire = form === 'wire'
    this.size = 0
    this.digits = 0
    this.total = 0
    this.most = Number.POSITIVE_INFINITY
    this.withheld = none
    this.extensions = 0
  }

  /** As `BodyReader.read`. */
  read(bytes: Uint8Array, from: number, end: number, sink: SpanSink): number {
    let at = from
    // Framing that goes through is held back as one span up to here, so that a read of many chunks is one span.
    let held = from
    while (at < end && !this.done) {
      if (this.phase === DATA) {
        const to = Math.min(end, at + this.size)
        if (!this.wire) sink.span(bytes, at, to)
        this.size -= to - at
        if (this.size === 0) this.phase = DATA_CR
        at = to
      } else if (this.phase === TRAILERS) {
        const to = this.readTrailers(bytes, at, end, sink)
        if (to === refused) return refused
        at = held = to
      } else {
        const before = this.phase
        const fault = this.step(bytes[at] as number)
        if (fault !== undefined) return this.refuse(fault)
        const after = this.phase
        if (after === TRAILERS) {
          this.pass(bytes, held, at, sink)
          held = at
          continue
        }
        if (before === SIZE && after === EXTENSION) this.pass(bytes, held, at, sink)
        if (before === EXTENSION) held = at
        at++
      }
    }
    if (this.phase !== EXTENSION) this.pass(bytes, held, at, sink)
    return at
  }

  private pass(bytes: Uint8Array, from: number, to: number, sink: SpanSink): void {
    if (this.wire && to > from) sink.span(bytes, from, to)
  }

  /** One byte of framing. */
  private step(byte: number): Refusal | undefined {
    switch (this.phase) {
      case SIZE: {
        const value = hexValue[byte] as number
        if (value !== 255) {
          this.size = this.size * 16 + value
          this.digits++
          return this.digits > maxSizeDigits ? refusals.chunkSize : undefined
        }
        if (this.digits === 0) return refusals.chunkSize
        if (byte === SEMICOLON) this.phase = EXTENSION
        else if (byte === CR) this.phase = SIZE_LF
        else return refusals.chunkSize
        return undefined
      }
      case EXTENSION:
        if (byte === CR) {
          this.phase = SIZE_LF
          return undefined
        }
        this.extensions++
        if (isValueByte[byte] !== 1 || this.extensions > this.limits.chunkExtensions)
          return refusals.chunkExtension
        return undefined
      case SIZE_LF:
        if (byte !== LF) return refusals.chunkSize
        this.total += this.size
        if (this.total > this.most) return refusals.bodyTooLarge
        this.phase = this.size === 0 ? AFTER_LAST : DATA
        this.digits = 0
        return undefined
      case DATA_CR:
        if (byte !== CR) return refusals.chunkEnd
        this.phase = DATA_LF
        return undefined
      case DATA_LF:
        if (byte !== LF) return refusals.chunkEnd
        this.phase = SIZE
        return undefined
      case AFTER_LAST:
        if (byte === CR) this.phase = FINAL_LF
        else {
          this.phase = TRAILERS
          this.trailers ??= new TrailerSection(this.limits)
          this.trailers.begin()
        }
        return undefined
      default:
        if (byte !== LF) return refusals.lineEnd
        this.done = true
        return undefined
    }
  }

  private readTrailers(bytes: Uint8Array, from: number, end: number, sink: SpanSink): number {
    const section = this.trailers
    if (section === undefined) return this.refuse(refusals.chunkEnd)
    const to = section.read(bytes, from, end)
    if (to === refused) return this.refuse(section.refusal ?? refusals.fieldValue)
    if (section.done) {
      this.done = true
      if (this.wire) section.passOn(sink, this.withheld)
    }
    return to
  }

  private refuse(refusal: Refusal): number {
    this.refusal = refusal
    return refused
  }
}
