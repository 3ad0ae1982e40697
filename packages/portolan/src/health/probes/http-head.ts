/** How the end of an answer's body is found (RFC 9112 section 6.3). */
export type Framing = 'none' | 'length' | 'chunked' | 'until-close'

export interface AnswerHead {
  readonly status: number
  readonly framing: Framing
  readonly contentLength: number
  /** Whether the connection may carry another request. */
  readonly persistent: boolean
  readonly location: string | undefined
}

const statusLine = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: [\t -~\x80-\xff]*)?$/
const fieldLines = /^(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t -~\x80-\xff]*(?:\r\n|$))*$/
const lengthValue = /^\d{1,15}$/

/**
 * Reads an answer's head, without the empty line at its end, as strictly as the gateway does: a check should not praise
 * what the gateway will refuse.
 * @returns text for people where it is malformed
 */
export function parseAnswerHead(text: string, method: string): AnswerHead | string {
  const lineEnd = text.indexOf('\r\n')
  const line = lineEnd < 0 ? text : text.slice(0, lineEnd)
  const match = statusLine.exec(line)
  if (match === null) return notHttp(line)
  const fields = lineEnd < 0 ? '' : text.slice(lineEnd + 2)
  if (!fieldLines.test(fields)) return 'with a malformed header'
  const minor = match[1]
  const status = Number(match[2])
  let length: string | undefined
  let coding: string | undefined
  let connection = ''
  let location: string | undefined
  for (let from = 0; from < fields.length; ) {
    const newline = fields.indexOf('\r\n', from)
    const to = newline < 0 ? fields.length : newline
    const colon = fields.indexOf(':', from)
    switch (colon - from) {
      case 8:
        if (names(fields, from, 'location')) location = fields.slice(colon + 1, to).trim()
        break
      case 10:
        if (names(fields, from, 'connection')) connection += `,${fields.slice(colon + 1, to)}`
        break
      case 14:
        if (!names(fields, from, 'content-length')) break
        if (length !== undefined) return 'with two Content-Length headers'
        length = fields.slice(colon + 1, to).trim()
        if (!lengthValue.test(length)) return 'with a malformed Content-Length'
        break
      case 17:
        if (!names(fields, from, 'transfer-encoding')) break
        if (coding !== undefined || minor === '0') return 'with an invalid Transfer-Encoding'
        coding = fields
          .slice(colon + 1, to)
          .trim()
          .toLowerCase()
        if (coding !== 'chunked') return 'with an unknown Transfer-Encoding'
        break
    }
    from = to + 2
  }
  if (length !== undefined && coding !== undefined)
    return 'with both a Content-Length and a Transfer-Encoding'
  const framing = framingOf(status, method, length, coding)
  const persistent = framing !== 'until-close' && staysOpen(minor, connection)
  return { status, framing, contentLength: Number(length ?? 0), persistent, location }
}

/** Whether the field name at `from`, of the same length, is `name`, which is in lower case. */
function names(text: string, from: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const code = text.charCodeAt(from + i)
    const folded = code >= 0x41 && code <= 0x5a ? code | 0x20 : code
    if (folded !== name.charCodeAt(i)) return false
  }
  return true
}

function staysOpen(minor: string | undefined, connection: string): boolean {
  if (connection === '') return minor === '1'
  const options = connection
    .toLowerCase()
    .split(',')
    .map(option => option.trim())
  return !options.includes('close') && (minor === '1' || options.includes('keep-alive'))
}

function framingOf(
  status: number,
  method: string,
  length: string | undefined,
  coding: string | undefined,
): Framing {
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return 'none'
  if (coding !== undefined) return 'chunked'
  return length === undefined ? 'until-close' : 'length'
}

/** What answers instead, where its first bytes give it away. */
function notHttp(line: string): string {
  const [first, second] = [line.charCodeAt(0), line.charCodeAt(1)]
  if (first >= tlsRecords[0] && first <= tlsRecords[1] && second === 3) {
    return 'with TLS: the check or its port must say tls: true'
  }
  if (first === 0 && second === 0 && line.charCodeAt(3) === http2Settings) return 'with HTTP/2, not HTTP/1.1'
  if (/^HTTP\/[023]/.test(line)) return 'with another version of HTTP than 1.1'
  return `with something that is not HTTP: ${JSON.stringify(line.slice(0, 32))}`
}

/** The content types of TLS records (RFC 8446 section 5.1). */
const tlsRecords = [20, 23] as const
/** The frame type that every HTTP/2 server sends first (RFC 9113 section 3.4). */
const http2Settings = 4

/** Whether bytes can still become a status line: what is no HTTP need not be waited for. */
export function mayBeHttp(start: string): boolean {
  const prefix = 'HTTP/1.'
  return start.length < prefix.length ? prefix.startsWith(start) : start.startsWith(prefix)
}
