import type { ByteWriter } from './byte-writer.ts'
import { ONE, SP } from './bytes.ts'
import { isNamedByConnection } from './field-values.ts'
import { isPlain } from './forward-request.ts'
import { field } from './known-fields.ts'
import type { ResponseHead } from './response-head.ts'

/** What the client is told of its connection: nothing (it stays, as HTTP/1.1 has it), or one of these. */
export type ConnectionField =
  | ''
  | 'Connection: close\r\n'
  | 'Connection: keep-alive\r\n'
  | `Connection: Upgrade\r\nUpgrade: ${string}\r\n`

/** What the client of an answer is told; `minor` is what it speaks. */
export function connectionField(closing: boolean, minor: number): ConnectionField {
  if (closing) return 'Connection: close\r\n'
  return minor === 0 ? 'Connection: keep-alive\r\n' : ''
}

/**
 * Writes the head as the client gets it: the bytes that came, as HTTP/1.1, with hop-by-hop fields and those that
 * Connection names cut out; a 426 keeps its Upgrade, which says what is required (RFC 9110 section 15.5.22). `unchunked`
 * leaves out Transfer-Encoding, for a client that gets the bare content; `lines` are further field lines, each with CRLF.
 */
export function writeResponseHead(
  bytes: Uint8Array,
  head: ResponseHead,
  connection: ConnectionField,
  unchunked: boolean,
  out: ByteWriter,
  lines = '',
): void {
  const { fields } = head
  // 1xx and 204 have no body and must not claim one (RFC 9110 section 8.6); a 304 or HEAD may say how long it would be.
  const bodiless = head.status < 200 || head.status === 204
  let kept = writeStatusLine(bytes, head, out)
  let requires = false
  for (let i = 0; i < fields.count; i++) {
    const id = fields.id(i)
    let anew = false
    // It is for all who get the answer, whatever Connection says (RFC 9110 sections 6.6.1 and 7.6.1).
    if (id === field.date) continue
    if (id === field.other) {
      if (!head.connection.namesFields || !isNamedByConnection(bytes, fields, i)) continue
    } else if (id === field.contentLength || id === field.transferEncoding) {
      const claims = !bodiless && !(unchunked && id === field.transferEncoding)
      if (claims && isPlain(bytes, fields, i)) continue
      anew = claims
    } else if (id === field.upgrade && head.status === 426) {
      requires = true
      continue
    } else if (!isHopByHop(id)) {
      continue
    }
    out.span(bytes, kept, fields.lineStart(i))
    kept = fields.lineEnd(i)
    if (anew) out.text(id === field.contentLength ? `Content-Length: ${head.contentLength}\r\n` : chunkedLine)
  }
  out.span(bytes, kept, fields.sectionEnd)
  out.text(connection)
  if (requires) out.text('Connection: Upgrade\r\n')
  if (lines !== '') out.text(lines)
  out.text('\r\n')
}

const chunkedLine = 'Transfer-Encoding: chunked\r\n'

/** Returns from where on the bytes can go through as they are. */
function writeStatusLine(bytes: Uint8Array, head: ResponseHead, out: ByteWriter): number {
  if (bytes[head.start + 7] === ONE && bytes[head.statusEnd] === SP) return head.start
  out.text('HTTP/1.1')
  out.span(bytes, head.start + 8, head.statusEnd)
  out.text(' ')
  return bytes[head.statusEnd] === SP ? head.statusEnd + 1 : head.statusEnd
}

function isHopByHop(id: number): boolean {
  switch (id) {
    case field.connection:
    case field.keepAlive:
    case field.proxyConnection:
    case field.te:
    case field.upgrade:
    case field.lookAlike:
      return true
    default:
      return false
  }
}
