import { CR, isValueByte, LF, SP } from './bytes.ts'
import {
  ConnectionOptions,
  type Framing,
  isExactlyChunked,
  readContentLength,
  readKeepAlive,
} from './field-values.ts'
import { FieldTable, incomplete, refused } from './fields.ts'
import { field } from './known-fields.ts'
import type { CodecLimits } from './limits.ts'
import type { Method } from './method.ts'
import { type Refusal, refusals } from './refusal.ts'

const PREFIX = 0
const AFTER_STATUS = 1
const REASON = 2
const LINE_FEED = 3
const FIELDS = 4

const prefixText = 'HTTP/1.1 200'

/**
 * One response head as positions in the bytes it was read from; nothing is copied. Valid after
 * {@link parseResponseHead} has answered with a position, until `begin`.
 */
export class ResponseHead {
  start = 0
  /** As of a request. */
  minor = 1
  status = 0
  /** Past the status code: the reason phrase with the space before it, or nothing, up to the CRLF at `lineEnd`. */
  statusEnd = 0
  /** Where the CRLF of the status line begins. */
  lineEnd = 0
  framing: Framing = 'none'
  contentLength = 0
  /** Whether the upstream keeps the connection open for another request. */
  persistent = true
  /** Seconds for which the upstream says that it keeps an idle connection (`Keep-Alive: timeout=5`); -1 = it does not say. */
  keepAlive = -1
  /** Whether it says when it was made. */
  dated = false
  end = 0
  refusal: Refusal | undefined
  readonly fields = new FieldTable()
  readonly connection = new ConnectionOptions()
  /** Where parsing goes on: internal to {@link parseResponseHead}. */
  phase = PREFIX
  at = 0

  begin(at: number): void {
    this.start = at
    this.at = at
    this.phase = PREFIX
    this.refusal = undefined
  }

  /** The bytes of an incomplete head have been moved by `distance`. */
  moved(distance: number): void {
    this.start += distance
    this.statusEnd += distance
    this.lineEnd += distance
    this.at += distance
    this.fields.moved(distance)
  }

  refuse(refusal: Refusal): number {
    this.refusal = refusal
    return refused
  }

  /** 1xx: another head follows this one. */
  get interim(): boolean {
    return this.status < 200
  }
}

/**
 * Reads a response head out of `bytes[head.start, end)` as strictly as {@link parseRequestHead} reads requests: what a
 * lenient proxy mends, two recipients may mend differently. `method` is the request's: it decides over the body.
 * Answers like {@link parseRequestHead}.
 */
export function parseResponseHead(
  bytes: Uint8Array,
  end: number,
  head: ResponseHead,
  limits: CodecLimits,
  method: Method,
): number {
  const stop = Math.min(end, head.start + limits.head)
  if (head.phase !== FIELDS) {
    const line = readStatusLine(bytes, stop, head)
    if (line === refused) return refused
    if (line === incomplete) return wantMore(head, stop, limits)
    head.fields.begin(line)
    head.phase = FIELDS
  }
  const done = head.fields.read(bytes, stop)
  if (done >= 0) return finish(bytes, done, head, method)
  if (done === incomplete) return wantMore(head, stop, limits)
  return head.refuse(head.fields.refusal ?? refusals.fieldValue)
}

function wantMore(head: ResponseHead, seen: number, limits: CodecLimits): number {
  return seen - head.start >= limits.head ? head.refuse(refusals.headTooLarge) : incomplete
}

function readStatusLine(bytes: Uint8Array, end: number, head: ResponseHead): number {
  let { at, phase } = head
  if (phase === PREFIX) {
    while (at < end && at < head.start + prefixText.length) {
      if (!isPrefixByte(bytes[at] as number, at - head.start)) return head.refuse(refusals.statusLine)
      at++
    }
    if (at === head.start + prefixText.length) {
      head.minor = bytes[at - 5] === 0x30 ? 0 : 1
      head.status = digit(bytes, at - 3) * 100 + digit(bytes, at - 2) * 10 + digit(bytes, at - 1)
      head.statusEnd = at
      phase = AFTER_STATUS
    }
  }
  if (phase === AFTER_STATUS && at < end) {
    // The space is required even before an empty reason (RFC 9112 section 4), but many leave both out.
    if (bytes[at] !== SP && bytes[at] !== CR) return head.refuse(refusals.statusLine)
    phase = REASON
  }
  if (phase === REASON) {
    while (at < end && isValueByte[bytes[at] as number] === 1) at++
    if (at < end) {
      if (bytes[at] !== CR) return head.refuse(refusals.statusLine)
      head.lineEnd = at
      at++
      phase = LINE_FEED
    }
  }
  if (phase === LINE_FEED && at < end) {
    return bytes[at] === LF ? at + 1 : head.refuse(refusals.lineEnd)
  }
  head.at = at
  head.phase = phase
  return incomplete
}

/** `HTTP/1.x `, then three digits from 100 to 599. */
function isPrefixByte(byte: number, index: number): boolean {
  if (index === 7) return byte >= 0x30 && byte <= 0x39
  if (index === 9) return byte >= 0x31 && byte <= 0x35
  if (index > 9) return byte >= 0x30 && byte <= 0x39
  return byte === prefixText.charCodeAt(index)
}

function digit(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) - 0x30
}

function finish(bytes: Uint8Array, end: number, head: ResponseHead, method: Method): number {
  head.end = end
  const { fields, connection } = head
  connection.reset()
  head.keepAlive = -1
  head.dated = false
  let lengths = 0
  let codings = 0
  for (let i = 0; i < fields.count; i++) {
    switch (fields.id(i)) {
      case field.contentLength:
        lengths++
        head.contentLength = readContentLength(bytes, fields.valueStart(i), fields.valueEnd(i))
        if (head.contentLength < 0 || lengths > 1) return head.refuse(refusals.contentLength)
        break
      case field.transferEncoding:
        codings++
        if (
          head.minor === 0 ||
          codings > 1 ||
          !isExactlyChunked(bytes, fields.valueStart(i), fields.valueEnd(i))
        ) {
          return head.refuse(refusals.transferEncoding)
        }
        break
      case field.date:
        head.dated = true
        break
      case field.keepAlive:
        head.keepAlive = readKeepAlive(bytes, fields.valueStart(i), fields.valueEnd(i))
        break
      case field.connection:
        if (!connection.read(bytes, fields.valueStart(i), fields.valueEnd(i)))
          return head.refuse(refusals.connection)
        break
    }
  }
  if (lengths > 0 && codings > 0) return head.refuse(refusals.ambiguousLength)
  head.framing = framingOf(head.status, method, lengths, codings)
  head.persistent =
    head.framing !== 'until-close' && !connection.close && (head.minor === 1 || connection.keepAlive)
  return end
}

/** RFC 9112 section 6.3, in its order. */
function framingOf(status: number, method: Method, lengths: number, codings: number): Framing {
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return 'none'
  if (codings > 0) return 'chunked'
  return lengths > 0 ? 'length' : 'until-close'
}
