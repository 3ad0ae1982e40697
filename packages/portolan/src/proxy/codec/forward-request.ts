import type { ByteWriter } from './byte-writer.ts'
import { ONE, SLASH, SP } from './bytes.ts'
import { isNamedByConnection } from './field-values.ts'
import type { FieldTable } from './fields.ts'
import { field } from './known-fields.ts'
import type { RequestHead } from './request-head.ts'

/** What a gateway tells upstreams of one client connection. Made once a connection. */
export interface Hop {
  /** The client's address as X-Forwarded-For wants it. */
  readonly peer: string
  /** Whether the peer's own X-Forwarded-* are believed. */
  readonly trusted: boolean
  /** `X-Forwarded-For: …` and `X-Forwarded-Proto: …` lines with CRLF, for peers whose own are not believed. */
  readonly forwarded: Uint8Array
  readonly scheme: 'http' | 'https'
}

/** What is to be otherwise than the client wrote it. */
export interface HeadEdits {
  /** Further field lines, each with CRLF. */
  readonly lines: string
  /** Path and query. */
  readonly target: string | undefined
  readonly host: string | undefined
}

/**
 * Writes the head as the upstream gets it: the bytes that came, with hop-by-hop fields and those that Connection names
 * cut out, exactly one Host, and X-Forwarded-* set. `fallbackHost` stands in where an HTTP/1.0 client sent no Host;
 * `mark` are lines of our own, with CRLF.
 */
export function writeRequestHead(
  bytes: Uint8Array,
  head: RequestHead,
  hop: Hop,
  fallbackHost: string,
  out: ByteWriter,
  mark: Uint8Array = noMark,
  edits?: HeadEdits,
): void {
  openRequestHead(bytes, head, hop, fallbackHost, out, mark, edits)
  if (edits !== undefined && edits.lines !== '') out.text(edits.lines)
  out.text('\r\n')
}

/** The same without the edits' lines, and without the empty line at the end: they are to follow. */
export function openRequestHead(
  bytes: Uint8Array,
  head: RequestHead,
  hop: Hop,
  fallbackHost: string,
  out: ByteWriter,
  mark: Uint8Array,
  edits?: HeadEdits,
): void {
  writeRequestLine(bytes, head, edits?.target, out)
  const host = edits?.host
  const { fields } = head
  let kept = head.targetEnd + 11
  let rewriteLength = false
  let rewriteCoding = false
  for (let i = 0; i < fields.count; i++) {
    const id = fields.id(i)
    if (
      keeps(id, head, hop) &&
      !(id === field.host && host !== undefined) &&
      !(head.connection.namesFields && isNamed(bytes, fields, i, id))
    ) {
      if (!isFraming(id) || isPlain(bytes, fields, i)) continue
      if (id === field.contentLength) rewriteLength = true
      else rewriteCoding = true
    }
    out.span(bytes, kept, fields.lineStart(i))
    kept = fields.lineEnd(i)
  }
  out.span(bytes, kept, fields.sectionEnd)
  if (rewriteLength) out.text(`Content-Length: ${head.contentLength}\r\n`)
  if (head.maxForwards > 0) out.text(`Max-Forwards: ${head.maxForwards - 1}\r\n`)
  if (rewriteCoding) out.text('Transfer-Encoding: chunked\r\n')
  if (host === undefined) writeHost(bytes, head, fallbackHost, out)
  else out.text(`Host: ${host}\r\n`)
  writeForwarded(bytes, head, hop, out)
  out.span(mark, 0, mark.length)
}

const noMark = new Uint8Array()

function writeRequestLine(
  bytes: Uint8Array,
  head: RequestHead,
  target: string | undefined,
  out: ByteWriter,
): void {
  if (target !== undefined) {
    out.span(bytes, head.start, head.methodEnd + 1)
    out.text(target)
    out.text(' HTTP/1.1\r\n')
    return
  }
  if (bytes[head.targetEnd + 8] === ONE && !head.absolute) {
    out.span(bytes, head.start, head.targetEnd + 11)
    return
  }
  out.span(bytes, head.start, head.methodEnd + 1)
  const { pathStart, targetEnd } = head
  if (head.absolute && pathStart === targetEnd) out.text(head.method === 'OPTIONS' ? '*' : '/')
  else if (head.absolute && bytes[pathStart] !== SLASH) out.text('/')
  out.span(bytes, head.absolute ? pathStart : head.targetStart, targetEnd)
  out.text(' HTTP/1.1\r\n')
}

function keeps(id: number, head: RequestHead, hop: Hop): boolean {
  switch (id) {
    case field.other:
    case field.date:
    case field.contentLength:
    case field.transferEncoding:
    case field.via:
    case field.portolanHop:
    case field.trailer:
      return true
    case field.host:
      return !head.absolute
    case field.maxForwards:
      return head.maxForwards < 0
    case field.expect:
      return head.minor === 1
    case field.xForwardedProto:
    case field.xForwardedHost:
    case field.forwarded:
      return hop.trusted
    default:
      return false
  }
}

function isFraming(id: number): boolean {
  return id === field.contentLength || id === field.transferEncoding
}

/** Framing and Host can't be named: the parser has refused that. */
function isNamed(bytes: Uint8Array, fields: FieldTable, index: number, id: number): boolean {
  return !isFraming(id) && isNamedByConnection(bytes, fields, index)
}

/** `Name: value` with one space and nothing after: what every recipient reads alike. Else it is written anew. */
export function isPlain(bytes: Uint8Array, fields: FieldTable, index: number): boolean {
  const nameEnd = fields.nameEnd(index)
  const valueStart = fields.valueStart(index)
  return (
    valueStart === nameEnd + 2 &&
    bytes[nameEnd + 1] === SP &&
    fields.lineEnd(index) === fields.valueEnd(index) + 2
  )
}

function writeHost(bytes: Uint8Array, head: RequestHead, fallbackHost: string, out: ByteWriter): void {
  const named = head.hostEnd > head.hostStart
  if (named && !head.absolute) return
  if (!named && head.hostStart !== head.targetStart) return
  out.text('Host: ')
  if (named) out.span(bytes, head.hostStart, head.hostEnd)
  else out.text(fallbackHost)
  out.text('\r\n')
}

function writeForwarded(bytes: Uint8Array, head: RequestHead, hop: Hop, out: ByteWriter): void {
  if (!hop.trusted) {
    out.span(hop.forwarded, 0, hop.forwarded.length)
    writeForwardedHost(bytes, head, out)
  } else {
    out.text('X-Forwarded-For: ')
    writeValues(bytes, head.fields, field.xForwardedFor, out)
    out.text(`${hop.peer}\r\n`)
    if (!has(head.fields, field.xForwardedProto)) out.text(`X-Forwarded-Proto: ${hop.scheme}\r\n`)
    if (!has(head.fields, field.xForwardedHost)) writeForwardedHost(bytes, head, out)
  }
}

function writeForwardedHost(bytes: Uint8Array, head: RequestHead, out: ByteWriter): void {
  if (head.hostEnd === head.hostStart) return
  out.text('X-Forwarded-Host: ')
  out.span(bytes, head.hostStart, head.hostEnd)
  out.text('\r\n')
}

function writeValues(bytes: Uint8Array, fields: FieldTable, id: number, out: ByteWriter): void {
  for (let i = 0; i < fields.count; i++) {
    if (fields.id(i) !== id || fields.valueEnd(i) === fields.valueStart(i)) continue
    out.span(bytes, fields.valueStart(i), fields.valueEnd(i))
    out.text(', ')
  }
}

function has(fields: FieldTable, id: number): boolean {
  for (let i = 0; i < fields.count; i++) if (fields.id(i) === id) return true
  return false
}
