import { pause, type RequestCase, refused, type Step, served } from '../case.ts'

const evil = 'GET /evil HTTP/1.1\r\nHost: evil\r\n\r\n'
const start = 'GET /x HTTP/1.1\r\nHost: a\r\n'
/** A head of just so many bytes. */
const headOf = (size: number) => `${start}X: ${'y'.repeat(size - start.length - 7)}\r\n\r\n`
const inPieces = (piece: string, times: number): Step[] => Array.from({ length: times }, () => piece)
const tooLarge = '431 head_too_large'

/** More of everything than anybody needs. */
export const sizes: readonly RequestCase[] = [
  served('a head as large as is allowed', headOf(16_384), 'GET /x '),
  refused('a head one byte larger', headOf(16_385) + evil, tooLarge),
  refused('one field without end', [start, 'X: ', ...inPieces('y'.repeat(1000), 20)], tooLarge),
  refused('fields without end', [start, ...inPieces(`X: ${'y'.repeat(500)}\r\n`, 40)], tooLarge),
  refused('a field name without end', [start, ...inPieces('x'.repeat(1000), 20)], tooLarge),
  refused('spaces without end', [start, 'X:', ...inPieces(' '.repeat(1000), 20)], tooLarge),
  refused('a megabyte of head at once', `${start}X: ${'y'.repeat(1 << 20)}`, tooLarge),
  served('as many fields as are allowed', `${start}${'X: y\r\n'.repeat(127)}\r\n`, 'GET /x '),
  refused('one field more', `${start}${'X: y\r\n'.repeat(128)}\r\n${evil}`, '431 too_many_fields'),
  refused('ten thousand empty fields', `${start}${'X:\r\n'.repeat(10_000)}\r\n`, '431 too_many_fields'),
  served(
    'a target as long as is allowed',
    `GET /${'x'.repeat(8191)} HTTP/1.1\r\nHost: a\r\n\r\n`,
    `GET /${'x'.repeat(8191)} `,
  ),
  refused(
    'a target one byte longer',
    `GET /${'x'.repeat(8192)} HTTP/1.1\r\nHost: a\r\n\r\n${evil}`,
    '414 target_too_long',
  ),
  refused('a target without end', ['GET /', ...inPieces('x'.repeat(1000), 20)], '414 target_too_long'),
  refused('a method without end', ['X'.repeat(40), ...inPieces('X'.repeat(1000), 5)], '400 bad_method'),
  refused('a version without end', ['GET / ', ...inPieces('H'.repeat(1000), 5)], '400 bad_version'),
  refused('a Host without end', ['GET / HTTP/1.1\r\nHost: ', ...inPieces('a'.repeat(1000), 20)], tooLarge),
  served('a cookie of 8 KiB', `${start}Cookie: ${'c=d; '.repeat(1600)}\r\n\r\n`, 'GET /x '),
  served(
    'a body of a megabyte',
    `POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\n\r\n${'b'.repeat(1 << 20)}`,
    `POST /x ${'b'.repeat(1 << 20)}`,
  ),
  served(
    'a hundred requests at once',
    'GET /x HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(100),
    ...Array.from({ length: 100 }, () => 'GET /x '),
  ),
  served(
    'a request whose last line end comes in two pieces, the second one with much else',
    [`${`${start}\r\n`.repeat(2)}${start}\r`, pause, `\n${`${start}\r\n`.repeat(50)}`],
    ...Array.from({ length: 53 }, () => 'GET /x '),
  ),
  served(
    'a request byte by byte',
    [...'POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\nX: y\r\n\r\n'],
    'POST /x abc',
  ),
]
