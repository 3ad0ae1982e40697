import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defaultCodecLimits } from './codec.ts'
import { chunkedOf } from './testing/parse.ts'

describe('a chunked body', () => {
  it('goes through as it came, up to its end', () => {
    const body = '5\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\n'
    expect(chunkedOf(`${body}GET /`)).toEqual({ passed: body, done: true, rest: 'GET /', code: undefined })
    expect(chunkedOf(body, [], 'content').passed).toBe('hello0123456789')
  })

  it('loses its extensions and the trailer fields that frame or route', () => {
    const text =
      '5;a=b;c="d"\r\nhello\r\n0;x\r\nX-Sum: 1\r\nContent-Length: 7\r\nHost: evil\r\nY: 2\r\n\r\nrest'
    const passed = '5\r\nhello\r\n0\r\nX-Sum: 1\r\nY: 2\r\n\r\n'
    expect(chunkedOf(text)).toEqual({ passed, done: true, rest: 'rest', code: undefined })
    expect(chunkedOf(text, [], 'content').passed).toBe('hello')
  })

  it.each([
    ['no size', 'bad_chunk_size', '\r\n'],
    ['a size that is no hex', 'bad_chunk_size', 'G\r\n'],
    ['a 0x size', 'bad_chunk_size', '0x5\r\nhello\r\n'],
    ['a signed size', 'bad_chunk_size', '-5\r\n'],
    ['a space after the size', 'bad_chunk_size', '5 \r\nhello\r\n'],
    ['a size beyond 52 bits', 'bad_chunk_size', '10000000000000000\r\n'],
    ['a bare LF after the size', 'bad_chunk_size', '5\nhello\r\n'],
    ['a bare LF after an extension', 'bad_chunk_extension', '5;a\nhello\r\n'],
    ['NUL in an extension', 'bad_chunk_extension', '5;\0\r\nhello\r\n'],
    ['endless extensions', 'bad_chunk_extension', `5;${'a'.repeat(4097)}`],
    ['endless extensions over many chunks', 'bad_chunk_extension', `1;${'a'.repeat(99)}\r\nx\r\n`.repeat(42)],
    ['more data than its size', 'bad_chunk_end', '5\r\nhello!\r\n'],
    ['a bare LF after data', 'bad_chunk_end', '5\r\nhello\n0\r\n\r\n'],
    ['a bare LF at the end', 'bad_field_name', '0\r\n\n'],
    ['a folded trailer', 'folded_field', '0\r\nX: a\r\n b\r\n\r\n'],
    ['an endless trailer', 'head_too_large', `0\r\nX: ${'a'.repeat(20_000)}`],
  ])('with %s is refused as %s', (_, code, text) => {
    expect(chunkedOf(text).code).toBe(code)
    expect(
      chunkedOf(
        text,
        Array.from({ length: text.length }, (_unused, i) => i),
      ).code,
    ).toBe(code)
  })

  it('gives the same bytes wherever it is split', () => {
    const chunk = fc
      .tuple(fc.string({ minLength: 1, maxLength: 40 }), fc.constantFrom('', ';a', ';a="b"'))
      .map(([s, extension]) => {
        const data = Buffer.from(s).toString('latin1')
        return { wire: `${data.length.toString(16)}${extension}\r\n${data}\r\n`, data }
      })
    const trailer = fc.constantFrom('', 'X: y\r\n', 'Host: z\r\nA: b\r\n')
    fc.assert(
      fc.property(fc.array(chunk), trailer, fc.array(fc.nat()), (chunks, fields, nats) => {
        const text = `${chunks.map(c => c.wire).join('')}0\r\n${fields}\r\nnext`
        const cuts = nats.map(n => n % text.length).sort((a, b) => a - b)
        const whole = chunkedOf(text)
        expect(whole).toMatchObject({ done: true, rest: 'next' })
        expect(chunkedOf(text, cuts)).toEqual(whole)
        const content = chunks.map(c => c.data).join('')
        expect(chunkedOf(text, cuts, 'content')).toMatchObject({ passed: content, rest: 'next' })
        expect(chunkedOf(whole.passed, [], 'content', defaultCodecLimits).passed).toBe(content)
      }),
      { numRuns: 1000 },
    )
  })
})
