import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AnswerReader, maxBody } from './http-answer.ts'

interface Read {
  readonly fault?: string
  readonly status?: number
  readonly body?: string
  readonly persistent?: boolean
  readonly cut?: boolean
  readonly excess?: number
  readonly location?: string | undefined
}

/** Reads `text` in pieces that end at `cuts`; `closes` = the other side closes after it. */
function answerOf(text: string, cuts: readonly number[] = [], closes = true, method = 'GET'): Read {
  const reader = new AnswerReader(method, () => maxBody)
  // As in life, one buffer is used for every piece, and overwritten.
  const inbox = Buffer.alloc(text.length)
  let done = false
  let from = 0
  for (const to of [...cuts, text.length]) {
    if (done) break
    const size = inbox.write(text.slice(from, to), 'latin1')
    if (size > 0) done = reader.read(inbox, size)
    inbox.fill('X')
    from = to
  }
  if (!done && closes) reader.ended()
  const { answer, fault } = reader
  if (fault !== undefined) return { fault }
  if (answer === undefined) return {}
  const { head, body, cut, excess } = answer
  const { status, persistent, location } = head
  return { status, body: body.toString('latin1'), persistent, cut, excess, location }
}

const ok = 'HTTP/1.1 200 OK\r\n'

describe('reading an answer', () => {
  it.each([
    [
      'a length',
      `${ok}Content-Length: 2\r\n\r\nok`,
      { status: 200, body: 'ok', persistent: true, excess: 0 },
    ],
    ['no body', `${ok}content-length:0\r\n\r\n`, { status: 200, body: '', persistent: true }],
    ['204', 'HTTP/1.1 204 \r\n\r\n', { status: 204, body: '', persistent: true }],
    ['a bare status', 'HTTP/1.1 204\r\n\r\n', { status: 204 }],
    [
      'chunks',
      `${ok}Transfer-Encoding: chunked\r\n\r\n2;x=1\r\nok\r\n0\r\nSum: 1\r\n\r\n`,
      { body: 'ok', persistent: true, excess: 0 },
    ],
    ['a body until the end', `${ok}\r\nok`, { body: 'ok', persistent: false }],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n', { persistent: false }],
    [
      'HTTP/1.0 that stays',
      'HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n',
      { persistent: true },
    ],
    ['a close', `${ok}Connection: x, Close\r\nContent-Length: 0\r\n\r\n`, { persistent: false }],
    [
      'interim heads',
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n${ok}Content-Length: 2\r\n\r\nok`,
      { status: 200, body: 'ok' },
    ],
    [
      'a redirect',
      'HTTP/1.1 302 Found\r\nLocation:  /elsewhere \r\nContent-Length: 0\r\n\r\n',
      { status: 302, location: '/elsewhere' },
    ],
    ['more than it announced', `${ok}Content-Length: 2\r\n\r\nok and more`, { body: 'ok', excess: 9 }],
    [
      'more after chunks',
      `${ok}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nHTTP/1.1`,
      { body: '', excess: 8 },
    ],
    ['a switch of protocols', 'HTTP/1.1 101 Switching\r\n\r\n', { status: 101 }],
  ])('understands %s', (_, text, expected) => {
    expect(answerOf(text)).toMatchObject(expected)
    const everywhere = Array.from({ length: text.length }, (_unused, i) => i)
    // Byte by byte, what comes after the end is not read any more.
    expect({ ...answerOf(text, everywhere), excess: 0 }).toEqual({ ...answerOf(text), excess: 0 })
  })

  it('expects no body in answer to HEAD', () => {
    expect(answerOf(`${ok}Content-Length: 5\r\n\r\n`, [], false, 'HEAD')).toMatchObject({
      status: 200,
      persistent: true,
    })
  })

  it.each([
    ['nothing', '', /nothing: it closed/],
    ['half a head', `${ok}Cont`, /half a head/],
    ['half a body', `${ok}Content-Length: 9\r\n\r\nok`, /200, and closed the connection within the body/],
    ['half a chunk', `${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nok`, /within the body/],
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n', /not HTTP: "SSH-2.0/],
    ['TLS', '\x15\x03\x01\0\x02\x02\x16', /with TLS/],
    ['HTTP/2', '\0\0\x12\x04\0\0\0\0\0', /with HTTP\/2/],
    ['another version', 'HTTP/2 200\r\n\r\n', /another version/],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n', /not HTTP/],
    ['a bare line feed', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n\r\n\r\n', /not HTTP/],
    ['a folded header', `${ok}A: b\r\n c\r\n\r\n`, /malformed header/],
    ['a space before the colon', `${ok}Content-Length : 2\r\n\r\nok`, /malformed header/],
    ['NUL in a header', `${ok}A: \0\r\n\r\n`, /malformed header/],
    ['two lengths', `${ok}Content-Length: 2\r\nContent-Length: 2\r\n\r\nok`, /two Content-Length/],
    ['a signed length', `${ok}Content-Length: +2\r\n\r\nok`, /malformed Content-Length/],
    ['length and chunks', `${ok}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, /both/],
    ['another coding', `${ok}Transfer-Encoding: gzip, chunked\r\n\r\n`, /unknown Transfer-Encoding/],
    ['bad chunks', `${ok}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`, /malformed chunks/],
    ['chunks without end of line', `${ok}Transfer-Encoding: chunked\r\n\r\n2\r\nokay`, /malformed chunks/],
    [
      'endless extensions',
      `${ok}Transfer-Encoding: chunked\r\n\r\n2;${'x'.repeat(9000)}`,
      /malformed chunks/,
    ],
    [
      'endless trailers',
      `${ok}Transfer-Encoding: chunked\r\n\r\n0\r\n${'a: b\r\n'.repeat(3000)}`,
      /malformed chunks/,
    ],
    ['a head without end', `${ok}${'a: b\r\n'.repeat(3000)}`, /head that has not ended after 16 KiB/],
    ['interim heads without end', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(100), /interim heads/],
  ])('says what is wrong with %s', (_, text, words) => {
    expect(answerOf(text).fault).toMatch(words)
    const halves = [Math.floor(text.length / 3), Math.floor(text.length / 2)]
    expect(answerOf(text, halves).fault).toMatch(words)
  })

  it('reads no more than 64 KiB of a body', () => {
    const long = 'a'.repeat(3 * maxBody)
    for (const head of ['', 'Content-Length: 1000000\r\n']) {
      const read = answerOf(`${ok}${head}\r\n${long}`, [100, 5000, 70_000, 90_000], false)
      expect(read).toMatchObject({ status: 200, cut: true })
      expect(read.body).toHaveLength(maxBody)
    }
    const tiny = answerOf(`${ok}Transfer-Encoding: chunked\r\n\r\n${'1\r\na\r\n'.repeat(100_000)}`, [], false)
    expect(tiny).toMatchObject({ status: 200, cut: true })
  })

  it('reads the same wherever it is split, and never throws', () => {
    const piece = fc.constantFrom(
      ok,
      'HTTP/1.1 100 Continue\r\n\r\n',
      'Content-Length: 5\r\n',
      'Transfer-Encoding: chunked\r\n',
      'Connection: close\r\n',
      '\r\n',
      'hello',
      '5\r\nhello\r\n',
      '0\r\n\r\n',
      '\0',
      ': ',
    )
    const text = fc.array(fc.oneof({ weight: 9, arbitrary: piece }, fc.string({ maxLength: 4 })), {
      maxLength: 10,
    })
    let answers = 0
    fc.assert(
      fc.property(text, fc.array(fc.nat()), (pieces, nats) => {
        const whole = ok + pieces.join('').replace(/[^\0-\xff]/g, '?')
        const cuts = nats.map(n => n % whole.length).sort((a, b) => a - b)
        const { excess: _, ...read } = answerOf(whole)
        const { excess: __, ...split } = answerOf(whole, cuts)
        expect(split).toEqual(read)
        if (read.status !== undefined) answers++
      }),
      { numRuns: 2000 },
    )
    expect(answers).toBeGreaterThan(100)
  })
})
