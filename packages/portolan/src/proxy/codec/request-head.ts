import { ASTERISK, CR, equalsFolded, foldedToken, isTargetByte, LF, SLASH, SP } from './bytes.ts'
import { ConnectionOptions, type Framing, isExactlyChunked, readContentLength } from './field-values.ts'
import { FieldTable, incomplete, refused } from './fields.ts'
import { isAuthority } from './host.ts'
import { field } from './known-fields.ts'
import type { CodecLimits } from './limits.ts'
import { type Method, methodAt } from './method.ts'
import { type Refusal, refusals } from './refusal.ts'

const START = 0
const EMPTY_LINE = 1
const METHOD = 2
const TARGET = 3
const VERSION = 4
const FIELDS = 5

const maxMethod = 32
const versionLine = 'HTTP/1.1\r\n'
/** Which of the two a client has written says nothing of how it came here: TLS may end before us. */
const schemes = ['http://', 'https://'] as const

/**
 * One request head as positions in the bytes it was read from; nothing is copied. Valid after
 * {@link parseRequestHead} has answered with a position, until `begin`.
 */
export class RequestHead {
  /** Where `begin` said that the head starts; an empty line may stand before `start`. */
  origin = 0
  /** The method's first byte. */
  start = 0
  methodEnd = 0
  targetStart = 0
  targetEnd = 0
  /** Path and query within the target; empty for `http://host` without a path, and for CONNECT. */
  pathStart = 0
  /** The authority that counts: the absolute target's, or else the Host field's. Empty when there is none. */
  hostStart = 0
  hostEnd = 0
  /** True when `hostStart` lies in the target and the Host field must be written anew (RFC 9112 section 3.2.2). */
  absolute = false
  /** 0 for HTTP/1.0, else 1: a later minor version is read as the highest that we know (RFC 9110 section 2.5). */
  minor = 1
  method: Method = 'other'
  framing: Framing = 'none'
  /** Bytes of the body, where `framing` is `length`. */
  contentLength = 0
  /** Whether the client keeps the connection open for another request. */
  persistent = true
  expectsContinue = false
  /** Whether it asks for another protocol than h2c (a websocket). */
  upgrades = false
  /** Whether it says how much time there is for it. */
  tellsTimeout = false
  /** How often an OPTIONS or a TRACE may still be passed on (RFC 9110 section 7.6.2); -1: it does not say, or not in digits. */
  maxForwards = -1
  /** Past the head's last byte. */
  end = 0
  refusal: Refusal | undefined
  readonly fields = new FieldTable()
  readonly connection = new ConnectionOptions()
  /** Where parsing goes on: internal to {@link parseRequestHead}. */
  phase = START
  at = 0

  /** Forgets everything; the next head starts at `at`. */
  begin(at: number): void {
    this.origin = at
    this.start = at
    this.at = at
    this.phase = START
    this.refusal = undefined
  }

  /** Whether any byte of the head has been seen since `begin`. */
  get started(): boolean {
    return this.phase !== START
  }

  /** The bytes of an incomplete head have been moved by `distance`. */
  moved(distance: number): void {
    this.origin += distance
    this.start += distance
    this.methodEnd += distance
    this.targetStart += distance
    this.targetEnd += distance
    this.at += distance
    this.fields.moved(distance)
  }

  refuse(refusal: Refusal): number {
    this.refusal = refusal
    return refused
  }
}

/**
 * Reads a request head (RFC 9112, strictly) out of `bytes[head.origin, end)`. Pure and incremental: it goes on where it
 * stopped and answers the same however the bytes are split.
 *
 * Returns the position after the head when it is complete and acceptable; {@link incomplete} when more bytes are
 * needed (keep those seen so far in place, or tell `head.moved`); {@link refused} with `head.refusal` otherwise.
 * One empty line before the request line is skipped.
 */
export function parseRequestHead(
  bytes: Uint8Array,
  end: number,
  head: RequestHead,
  limits: CodecLimits,
): number {
  const stop = Math.min(end, head.origin + limits.head)
  if (head.phase !== FIELDS) {
    const line = readRequestLine(bytes, stop, head, limits)
    if (line === refused) return refused
    if (line === incomplete) return wantMore(head, stop, limits)
    head.fields.begin(line)
    head.phase = FIELDS
  }
  const done = head.fields.read(bytes, stop)
  if (done >= 0) return finish(bytes, done, head)
  if (done === incomplete) return wantMore(head, stop, limits)
  return head.refuse(head.fields.refusal ?? refusals.fieldValue)
}

function wantMore(head: RequestHead, seen: number, limits: CodecLimits): number {
  return seen - head.origin >= limits.head ? head.refuse(refusals.headTooLarge) : incomplete
}

function readRequestLine(bytes: Uint8Array, end: number, head: RequestHead, limits: CodecLimits): number {
  let { at, phase } = head
  if (phase === START && at < end) {
    phase = METHOD
    if (bytes[at] === CR) {
      phase = EMPTY_LINE
      at++
    }
  }
  if (phase === EMPTY_LINE && at < end) {
    if (bytes[at] !== LF) return head.refuse(refusals.lineEnd)
    at++
    head.start = at
    phase = METHOD
  }
  if (phase === METHOD) {
    while (at < end && foldedToken[bytes[at] as number] !== 0) at++
    if (at - head.start > maxMethod) return head.refuse(refusals.method)
    if (at < end) {
      if (bytes[at] !== SP || at === head.start) return head.refuse(refusals.method)
      head.methodEnd = at
      at++
      head.targetStart = at
      phase = TARGET
    }
  }
  if (phase === TARGET) {
    while (at < end && isTargetByte[bytes[at] as number] === 1) at++
    if (at - head.targetStart > limits.target) return head.refuse(refusals.targetTooLong)
    if (at < end) {
      if (bytes[at] !== SP || at === head.targetStart) return head.refuse(refusals.target)
      head.targetEnd = at
      at++
      phase = VERSION
    }
  }
  if (phase === VERSION) {
    const from = head.targetEnd + 1
    while (at < end && at < from + 10) {
      const fault = versionFault(bytes[at] as number, at - from)
      if (fault !== undefined) return head.refuse(fault)
      at++
    }
    if (at === from + 10) {
      head.minor = bytes[from + 7] === 0x30 ? 0 : 1
      return at
    }
  }
  head.at = at
  head.phase = phase
  return incomplete
}

/** What is wrong with byte `index` of `HTTP/1.x` CRLF. */
function versionFault(byte: number, index: number): Refusal | undefined {
  if (index === 5 || index === 7) {
    if (byte < 0x30 || byte > 0x39) return refusals.version
    return index === 7 || byte === 0x31 ? undefined : refusals.versionUnsupported
  }
  return byte === versionLine.charCodeAt(index) ? undefined : refusals.version
}

function finish(bytes: Uint8Array, end: number, head: RequestHead): number {
  head.end = end
  head.method = methodAt(bytes, head.start, head.methodEnd)
  const refusal = readFields(bytes, head) ?? readTarget(bytes, head)
  return refusal === undefined ? end : head.refuse(refusal)
}

function readFields(bytes: Uint8Array, head: RequestHead): Refusal | undefined {
  const { fields, connection } = head
  connection.reset()
  head.expectsContinue = false
  head.upgrades = false
  head.tellsTimeout = false
  head.maxForwards = -1
  let hosts = 0
  let lengths = 0
  let codings = 0
  for (let i = 0; i < fields.count; i++) {
    switch (fields.id(i)) {
      case field.host:
        hosts++
        head.hostStart = fields.valueStart(i)
        head.hostEnd = fields.valueEnd(i)
        break
      case field.contentLength:
        lengths++
        head.contentLength = readContentLength(bytes, fields.valueStart(i), fields.valueEnd(i))
        if (head.contentLength < 0 || lengths > 1) return refusals.contentLength
        break
      case field.transferEncoding:
        codings++
        if (head.minor === 0 || codings > 1) return refusals.transferEncoding
        if (!isExactlyChunked(bytes, fields.valueStart(i), fields.valueEnd(i)))
          return refusals.transferEncoding
        break
      case field.connection:
        if (!connection.read(bytes, fields.valueStart(i), fields.valueEnd(i))) return refusals.connection
        break
      case field.expect:
        head.expectsContinue =
          head.minor === 1 && equalsFolded(bytes, fields.valueStart(i), fields.valueEnd(i), '100-continue')
        break
      case field.upgrade:
        // Java's client offers h2c with every first request; an offer may be ignored, and this one is.
        if (!equalsFolded(bytes, fields.valueStart(i), fields.valueEnd(i), 'h2c')) head.upgrades = true
        break
      case field.requestTimeout:
        head.tellsTimeout = true
        break
      case field.maxForwards:
        if (head.method === 'OPTIONS' || head.method === 'TRACE') {
          const times = readContentLength(bytes, fields.valueStart(i), fields.valueEnd(i))
          if (times >= 0 && !(head.maxForwards >= 0 && head.maxForwards < times)) head.maxForwards = times
        }
        break
    }
  }
  if (lengths > 0 && codings > 0) return refusals.ambiguousLength
  if (hosts > 1 || (hosts === 0 && head.minor === 1)) return refusals.host
  if (hosts === 0) head.hostStart = head.hostEnd = head.targetStart
  else if (!isAuthority(bytes, head.hostStart, head.hostEnd)) return refusals.host
  head.framing = codings > 0 ? 'chunked' : lengths > 0 ? 'length' : 'none'
  head.persistent = !connection.close && (head.minor === 1 || connection.keepAlive)
  return undefined
}

/** The four forms of RFC 9112 section 3.2: origin, absolute (http, https), authority (CONNECT), asterisk (OPTIONS). */
function readTarget(bytes: Uint8Array, head: RequestHead): Refusal | undefined {
  const { targetStart, targetEnd } = head
  head.absolute = false
  head.pathStart = targetStart
  if (head.method === 'CONNECT') {
    head.pathStart = targetEnd
    return isAuthority(bytes, targetStart, targetEnd) ? undefined : refusals.target
  }
  if (bytes[targetStart] === SLASH) return undefined
  if (bytes[targetStart] === ASTERISK && targetEnd - targetStart === 1) {
    return head.method === 'OPTIONS' ? undefined : refusals.target
  }
  const from = authorityStart(bytes, targetStart, targetEnd)
  let at = from
  while (at < targetEnd && bytes[at] !== SLASH && bytes[at] !== 0x3f) at++
  if (at === from || !isAuthority(bytes, from, at)) return refusals.target
  head.absolute = true
  head.hostStart = from
  head.hostEnd = at
  head.pathStart = at
  return undefined
}

/** Where the authority of an absolute target begins; its end, when it is none of http or https. */
function authorityStart(bytes: Uint8Array, from: number, to: number): number {
  for (const scheme of schemes) {
    const start = from + scheme.length
    if (start <= to && equalsFolded(bytes, from, start, scheme)) return start
  }
  return to
}
