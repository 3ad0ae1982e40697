import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  ByteWriter,
  defaultCodecLimits,
  type Hop,
  incomplete,
  parseRequestHead,
  RequestHead,
  writeRequestHead,
  writeResponseHead,
} from './codec.ts'
import { requestOf, responseOf } from './testing/parse.ts'

const untrusted: Hop = {
  peer: '10.0.0.9',
  trusted: false,
  scheme: 'http',
  forwarded: Buffer.from('X-Forwarded-For: 10.0.0.9\r\nX-Forwarded-Proto: http\r\n'),
}
const trusted: Hop = { ...untrusted, trusted: true }

function request(text: string, hop: Hop = untrusted): string {
  const { head, bytes, code } = requestOf(text)
  expect(code).toBeUndefined()
  const out = new ByteWriter(16)
  writeRequestHead(bytes, head, hop, 'order', out)
  return out.toString()
}

function response(text: string, unchunked = false): string {
  const { head, bytes, code } = responseOf(text)
  expect(code).toBeUndefined()
  const out = new ByteWriter(16)
  writeResponseHead(bytes, head, '', unchunked, out)
  return out.toString()
}

const added = 'X-Forwarded-For: 10.0.0.9\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\n\r\n'

describe('a forwarded request head', () => {
  it.each([
    [
      'goes through',
      'GET /x HTTP/1.1\r\nHost: a\r\nZ: caf\xe9\r\n\r\n',
      'GET /x HTTP/1.1\r\nHost: a\r\nZ: caf\xe9\r\n',
    ],
    [
      'loses its hop-by-hop fields',
      'GET / HTTP/1.1\r\nConnection: keep-alive, X-Gone\r\nHost: a\r\nX-Gone: 1\r\nKeep-Alive: 5\r\nA: b\r\nTE: trailers\r\nUpgrade: h2c\r\nProxy-Connection: x\r\nx-gone: 2\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n',
    ],
    [
      'loses claims that are not believed, and look-alikes',
      'GET / HTTP/1.1\r\nHost: a\r\nx-forwarded-for: 1.1.1.1\r\nForwarded: for=1\r\nX-Real-IP: 2\r\nX_Forwarded_For: 3\r\nContent_Length: 9\r\nX-Forwarded-Host: evil\r\nB: c\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: a\r\nB: c\r\n',
    ],
    [
      'gets its framing written plainly',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\t 007 \r\nC: d\r\n\r\n',
      'POST / HTTP/1.1\r\nHost: a\r\nC: d\r\nContent-Length: 7\r\n',
    ],
    [
      'gets the host of an absolute target',
      'GET http://a?q HTTP/1.1\r\nHost: other\r\nD: e\r\n\r\n',
      'GET /?q HTTP/1.1\r\nD: e\r\nHost: a\r\n',
    ],
    [
      'as OPTIONS for a host is *',
      'OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n',
      'OPTIONS * HTTP/1.1\r\nHost: a\r\n',
    ],
    ['of HTTP/1.2 becomes 1.1', 'GET /y HTTP/1.2\r\nHost: a\r\n\r\n', 'GET /y HTTP/1.1\r\nHost: a\r\n'],
    [
      'of HTTP/1.0 becomes 1.1',
      'GET /y HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\nConnection: keep-alive\r\n\r\n',
      'GET /y HTTP/1.1\r\nHost: a\r\n',
    ],
  ])('%s', (_, text, expected) => {
    expect(request(text)).toBe(expected + added)
  })

  it('gets the service as Host where the client sent none', () => {
    expect(request('GET / HTTP/1.0\r\n\r\n')).toBe(
      'GET / HTTP/1.1\r\nHost: order\r\nX-Forwarded-For: 10.0.0.9\r\nX-Forwarded-Proto: http\r\n\r\n',
    )
  })

  it('keeps the claims of a trusted peer and adds its own', () => {
    const text =
      'GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 2.2.2.2, 3.3.3.3\r\nX-Forwarded-Proto: https\r\n\r\n'
    expect(request(text, trusted)).toBe(
      'GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Proto: https\r\nX-Forwarded-For: 1.1.1.1, 2.2.2.2, 3.3.3.3, 10.0.0.9\r\nX-Forwarded-Host: a\r\n\r\n',
    )
  })

  it('means the same when it is read again', () => {
    const name = fc.stringMatching(/^Z[A-Za-z0-9-]{0,12}$/)
    const value = fc.stringMatching(/^[!-~\xa1-\xff]{0,20}$/)
    const noise = fc.constantFrom('Connection: close\r\n', 'TE: trailers\r\n', 'X-Forwarded-For: 9\r\n', '')
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value, noise)), fc.nat(999), (list, length) => {
        const kept = list.map(([n, v]) => `${n}: ${v}\r\n`)
        const sent = list.map(([n, v, extra]) => `${n}: ${v}\r\n${extra}`).join('')
        const line = `POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n`
        const passed = request(`${line}${sent}\r\n`)
        expect(passed).toBe(line + kept.join('') + added)
        const again = requestOf(passed)
        expect(again).toMatchObject({ end: passed.length, code: undefined })
        expect(again.head).toMatchObject({ method: 'POST', framing: 'length', contentLength: length })
        expect(again.head.fields.count).toBe(list.length + 5)
      }),
    )
  })
})

describe('a forwarded response head', () => {
  it.each([
    ['goes through', 'HTTP/1.1 200 OK\r\nServer: x\r\n\r\n', 'HTTP/1.1 200 OK\r\nServer: x\r\n\r\n'],
    [
      'loses its hop-by-hop fields',
      'HTTP/1.1 200 OK\r\nConnection: close, X-Gone\r\nKeep-Alive: 5\r\nA: b\r\nX-Gone: c\r\nContent-Length: 0\r\n\r\n',
      'HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 0\r\n\r\n',
    ],
    ['of HTTP/1.2 becomes 1.1', 'HTTP/1.2 200 OK\r\nA: b\r\n\r\n', 'HTTP/1.1 200 OK\r\nA: b\r\n\r\n'],
    ['of HTTP/1.0 becomes 1.1', 'HTTP/1.0 404 No\r\nA: b\r\n\r\n', 'HTTP/1.1 404 No\r\nA: b\r\n\r\n'],
    ['gets the missing space', 'HTTP/1.1 200\r\nA: b\r\n\r\n', 'HTTP/1.1 200 \r\nA: b\r\n\r\n'],
    ['claims no body with 204', 'HTTP/1.1 204 N\r\nContent-Length: 5\r\n\r\n', 'HTTP/1.1 204 N\r\n\r\n'],
  ])('%s', (_, text, expected) => {
    expect(response(text)).toBe(expected)
  })

  it('keeps what a 426 requires, and no other Upgrade', () => {
    const fields = 'Upgrade: websocket\r\nConnection: Upgrade, X-Gone\r\nX-Gone: 1\r\nUpgrade: TLS/1.3\r\n'
    expect(response(`HTTP/1.1 426 Upgrade Required\r\n${fields}A: b\r\n\r\n`)).toBe(
      'HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nUpgrade: TLS/1.3\r\nA: b\r\nConnection: Upgrade\r\n\r\n',
    )
    expect(response(`HTTP/1.1 400 No\r\n${fields}A: b\r\n\r\n`)).toBe('HTTP/1.1 400 No\r\nA: b\r\n\r\n')
    expect(response('HTTP/1.1 426 Upgrade Required\r\nA: b\r\n\r\n')).toBe(
      'HTTP/1.1 426 Upgrade Required\r\nA: b\r\n\r\n',
    )
  })

  it('loses its coding for a client that gets bare content', () => {
    expect(response('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nA: b\r\n\r\n', true)).toBe(
      'HTTP/1.1 200 OK\r\nA: b\r\n\r\n',
    )
  })
})

describe('a head that moves in memory while it comes', () => {
  it('is written without a byte of anything else, wherever it was cut', () => {
    const text = 'GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n\r\n'
    const before = 'x'.repeat(50)
    for (let cut = 1; cut < text.length; cut++) {
      const head = new RequestHead()
      head.begin(before.length)
      const first = Buffer.from(before + text.slice(0, cut), 'latin1')
      expect(parseRequestHead(first, first.length, head, defaultCodecLimits)).toBe(incomplete)
      head.moved(-before.length)
      const moved = Buffer.from(`${text}what another client has sent`, 'latin1')
      expect(parseRequestHead(moved, moved.length, head, defaultCodecLimits)).toBe(text.length)
      const out = new ByteWriter(16)
      writeRequestHead(moved, head, untrusted, 'order', out)
      expect(out.toString(), `cut at ${cut}`).toBe(request(text))
    }
  })
})
