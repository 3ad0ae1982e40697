import { describe, expect, it } from 'vitest'
import { responseOf } from './testing/parse.ts'

const everyByte = (text: string) => Array.from({ length: text.length }, (_, i) => i + 1)

describe('a response head', () => {
  it.each([
    ['a length', 'length', 'GET', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'],
    ['chunks', 'chunked', 'GET', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['neither', 'until-close', 'GET', 'HTTP/1.1 200 OK\r\n\r\n'],
    ['HTTP/1.0', 'until-close', 'GET', 'HTTP/1.0 200 OK\r\n\r\n'],
    ['no reason', 'length', 'GET', 'HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\n'],
    ['no reason and no space', 'length', 'GET', 'HTTP/1.1 200\r\nContent-Length: 5\r\n\r\n'],
    ['HEAD', 'none', 'HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'],
    ['204', 'none', 'GET', 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['304', 'none', 'GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n'],
    ['100', 'none', 'POST', 'HTTP/1.1 100 Continue\r\n\r\n'],
  ] as const)('with %s has a body by %s', (_, framing, method, text) => {
    const { head, end } = responseOf(text, method)
    expect({ end, framing: head.framing }).toEqual({ end: text.length, framing })
    const { status, contentLength, persistent, lineEnd } = head
    const inBytes = responseOf(text, method, everyByte(text)).head
    expect(inBytes).toMatchObject({ framing, status, contentLength, persistent, lineEnd, end })
  })

  it.each([
    ['another version', 'bad_status_line', 'HTTP/2.0 200 OK\r\n\r\n'],
    ['two digits', 'bad_status_line', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['four digits', 'bad_status_line', 'HTTP/1.1 2000 OK\r\n\r\n'],
    ['status 600', 'bad_status_line', 'HTTP/1.1 600 No\r\n\r\n'],
    ['a bare LF', 'bad_status_line', 'HTTP/1.1 200 OK\n\r\n'],
    ['NUL in the reason', 'bad_status_line', 'HTTP/1.1 200 O\0K\r\n\r\n'],
    [
      'CL and TE',
      'ambiguous_length',
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n',
    ],
    [
      'two lengths',
      'bad_content_length',
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n',
    ],
    ['a folded field', 'folded_field', 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n'],
    ['a space before the colon', 'bad_field_name', 'HTTP/1.1 200 OK\r\nX : a\r\n\r\n'],
    ['another coding', 'bad_transfer_encoding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n'],
    ['chunks in HTTP/1.0', 'bad_transfer_encoding', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['no HTTP at all', 'bad_status_line', 'SSH-2.0-OpenSSH\r\n'],
    ['too large a head', 'head_too_large', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(17_000)}\r\n\r\n`],
  ])('with %s is refused as %s', (_, code, text) => {
    expect(responseOf(text).code).toBe(code)
    expect(responseOf(text, 'GET', everyByte(text)).code).toBe(code)
  })

  it.each([
    [true, 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'],
    [false, 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n'],
    [false, 'HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n'],
    [true, 'HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: Keep-Alive\r\n\r\n'],
    [false, 'HTTP/1.1 200 OK\r\n\r\n'],
  ])('keeps the connection open: %s', (persistent, text) => {
    expect(responseOf(text).head.persistent).toBe(persistent)
  })
})
