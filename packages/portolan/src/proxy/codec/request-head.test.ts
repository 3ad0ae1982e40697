import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defaultCodecLimits, incomplete, latin1, parseRequestHead, RequestHead } from './codec.ts'
import { requestOf } from './testing/parse.ts'

const get = (fields: string) => `GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`

describe('a request head', () => {
  it('is read as positions', () => {
    const { head, bytes, end } = requestOf(
      'POST /a?b HTTP/1.1\r\nHost: x:80\r\nContent-Length:  5 \r\n\r\nhello',
    )
    expect(end).toBe(bytes.length - 5)
    expect(head).toMatchObject({
      method: 'POST',
      minor: 1,
      framing: 'length',
      contentLength: 5,
      persistent: true,
    })
    expect(latin1(bytes, head.targetStart, head.targetEnd)).toBe('/a?b')
    expect(latin1(bytes, head.hostStart, head.hostEnd)).toBe('x:80')
  })

  it.each([
    ['one empty line before it', '\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['an unknown method', 'PURGE /x HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['the absolute form', 'GET http://b:81/x?y HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['the asterisk form', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['the authority form', 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n'],
    ['HTTP/1.0 without Host', 'GET / HTTP/1.0\r\n\r\n'],
    ['an empty Host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n'],
    ['an IPv6 Host', 'GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n'],
    ['latin1 values', get('X: caf\xe9\r\n')],
    ['an empty value', get('X:\r\n')],
    ['a chunked body', get('transfer-encoding: Chunked\r\n')],
  ])('may have %s', (_, text) => {
    expect(requestOf(text)).toMatchObject({ end: text.length, code: undefined })
  })

  it.each([
    ['CL and TE', 'ambiguous_length', get('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n')],
    ['TE and CL', 'ambiguous_length', get('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n')],
    ['two lengths', 'bad_content_length', get('Content-Length: 5\r\nContent-Length: 6\r\n')],
    ['two equal lengths', 'bad_content_length', get('Content-Length: 5\r\nContent-Length: 5\r\n')],
    ['a list of lengths', 'bad_content_length', get('Content-Length: 5, 5\r\n')],
    ['a signed length', 'bad_content_length', get('Content-Length: +5\r\n')],
    ['a hex length', 'bad_content_length', get('Content-Length: 0x5\r\n')],
    ['an empty length', 'bad_content_length', get('Content-Length: \r\n')],
    ['an enormous length', 'bad_content_length', get('Content-Length: 9999999999999999\r\n')],
    ['a folded value', 'folded_field', get('X: a\r\n b\r\n')],
    ['white space before the first field', 'folded_field', 'GET / HTTP/1.1\r\n Host: a\r\n\r\n'],
    ['a bare LF in the request line', 'bad_version', 'GET / HTTP/1.1\nHost: a\r\n\r\n'],
    ['a bare LF in a field', 'bad_line_end', get('X: a\nY: b\r\n')],
    ['a bare LF at the end', 'bad_field_name', 'GET / HTTP/1.1\r\nHost: a\r\n\n'],
    ['a bare CR in a value', 'bad_line_end', get('X: a\rb\r\n')],
    ['a space before the colon', 'bad_field_name', get('X : a\r\n')],
    ['no colon', 'bad_field_name', get('X\r\n')],
    ['no name', 'bad_field_name', get(': a\r\n')],
    ['NUL in a value', 'bad_field_value', get('X: a\0b\r\n')],
    ['DEL in a value', 'bad_field_value', get('X: a\x7fb\r\n')],
    ['a control in a name', 'bad_field_name', get('X\x01: a\r\n')],
    ['a method that is no token', 'bad_method', 'G@T / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['an endless method', 'bad_method', `${'M'.repeat(33)} / HTTP/1.1\r\nHost: a\r\n\r\n`],
    ['no target', 'bad_target', 'GET  HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a relative target', 'bad_target', 'GET x HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a fragment', 'bad_target', 'GET /#x HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a tab for a space', 'bad_target', 'GET /\tHTTP/1.1\r\nHost: a\r\n\r\n'],
    ['user information', 'bad_target', 'GET http://me@b/ HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['another scheme', 'bad_target', 'GET ftp://b/ HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['an asterisk for GET', 'bad_target', 'GET * HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a path for CONNECT', 'bad_target', 'CONNECT /x HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['HTTP/0.9', 'bad_target', 'GET /\r\n'],
    ['HTTP/2.0', 'version_unsupported', 'PRI * HTTP/2.0\r\n\r\n'],
    ['a lower-case version', 'bad_version', 'GET / http/1.1\r\nHost: a\r\n\r\n'],
    ['two spaces before the version', 'bad_version', 'GET /  HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['no Host', 'bad_host', 'GET / HTTP/1.1\r\n\r\n'],
    ['two Hosts', 'bad_host', get('Host: a\r\n')],
    ['a Host with a path', 'bad_host', 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n'],
    ['a list of Hosts', 'bad_host', 'GET / HTTP/1.1\r\nHost: a, b\r\n\r\n'],
    ['a Host with a bad port', 'bad_host', 'GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n'],
    ['an open bracket', 'bad_host', 'GET / HTTP/1.1\r\nHost: [::1\r\n\r\n'],
    ['another coding', 'bad_transfer_encoding', get('Transfer-Encoding: gzip, chunked\r\n')],
    ['chunked twice', 'bad_transfer_encoding', get('Transfer-Encoding: chunked, chunked\r\n')],
    [
      'two codings',
      'bad_transfer_encoding',
      get('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n'),
    ],
    ['a quoted coding', 'bad_transfer_encoding', get('Transfer-Encoding: "chunked"\r\n')],
    [
      'a coding with HTTP/1.0',
      'bad_transfer_encoding',
      'GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n',
    ],
    ['Connection: content-length', 'bad_connection', get('Connection: close, Content-Length\r\n')],
    ['Connection: host', 'bad_connection', get('Connection: HOST\r\n')],
    ['a malformed Connection', 'bad_connection', get('Connection: a b\r\n')],
    ['too many fields', 'too_many_fields', get('X: a\r\n'.repeat(128))],
    ['too large a head', 'head_too_large', get(`X: ${'a'.repeat(16_384)}\r\n`)],
    ['too long a target', 'target_too_long', `GET /${'a'.repeat(8192)} HTTP/1.1\r\nHost: a\r\n\r\n`],
  ])('with %s is refused as %s', (_, code, text) => {
    expect(requestOf(text).code).toBe(code)
    const everyByte = Array.from({ length: text.length }, (_unused, i) => i + 1)
    expect(requestOf(text, everyByte).code).toBe(code)
  })

  it('of exactly the limit is served, and of one byte more is not', () => {
    const limits = { ...defaultCodecLimits, head: 64 }
    const fits = get(`X: ${'a'.repeat(64 - get('X: \r\n').length)}\r\n`)
    expect(fits.length).toBe(64)
    expect(requestOf(fits, [], limits).end).toBe(64)
    expect(requestOf(fits.replace('X: ', 'X: a'), [], limits).status).toBe(431)
  })

  it('has the same meaning wherever it is split, and wherever its bytes are moved to meanwhile', () => {
    const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,12}$/)
    const value = fc.stringMatching(/^[ \t]{0,2}[!-~\xa1-\xff ]{0,20}[ \t]{0,2}$/)
    const fields = fc.array(fc.tuple(name, value), { maxLength: 6 })
    const text = fields.map(list => get(list.map(([n, v]) => `${n}:${v}\r\n`).join('')))
    const mangled = fc
      .tuple(text, fc.nat(), fc.constantFrom('', '\n', '\r', ' ', '\0', ':', ',', 'x'))
      .map(
        ([whole, at, byte]) =>
          whole.slice(0, at % whole.length) + byte + whole.slice((at % whole.length) + 1),
      )
    fc.assert(
      fc.property(fc.oneof(text, mangled), fc.nat(), (whole, cut) => {
        const once = requestOf(whole)
        const bytes = Buffer.alloc(whole.length + 7)
        bytes.write(whole, 0, 'latin1')
        const head = new RequestHead()
        head.begin(0)
        const at = cut % (whole.length + 1)
        let end = parseRequestHead(bytes, at, head, defaultCodecLimits)
        if (end === incomplete) {
          bytes.copy(bytes, 7, 0, whole.length)
          head.moved(7)
          end = parseRequestHead(bytes, whole.length + 7, head, defaultCodecLimits)
          if (end >= 0) end -= 7
          expect(head.fields.count).toBe(once.head.fields.count)
          if (end >= 0) expect(head.hostStart).toBe(once.head.hostStart + 7)
        }
        expect(head.refusal).toBe(once.head.refusal)
        expect(end).toBe(once.end)
      }),
      { numRuns: 2000 },
    )
  })
})
