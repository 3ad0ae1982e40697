import { bad, cut, halfClose, passed, pause, type ResponseCase, reset } from '../case.ts'

const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'
const hello = '5\r\nhello\r\n'
const end = '0\r\n\r\n'
const evil = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'

/** A fault that comes with the head is a 502; one that comes when part of the answer is out cuts the connection. */
function faulty(name: string, body: string): readonly ResponseCase[] {
  return [
    bad(`${name}, at once`, `${head}${body}`),
    cut(`${name}, later`, [`${head}${hello}`, pause, body], hello),
  ]
}

/** The chunked coding of instances that lie. */
export const chunks: readonly ResponseCase[] = [
  passed('chunks as they should be', `${head}${hello}${hello}${end}`, ['200 hellohello'], { reused: true }),
  passed('chunks byte by byte', [...`${head}${hello}0;x\r\nX: y\r\n\r\n`], ['200 hello'], { reused: true }),
  passed('extensions are not passed on', `${head}5;x="y"\r\nhello\r\n0;z\r\n\r\n`, ['200 hello'], {
    reused: true,
  }),
  passed(
    'trailers that frame or route are cut out',
    `${head}${hello}0\r\nContent-Length: 4\r\nHost: evil\r\nX: y\r\n\r\n`,
    ['200 hello'],
    { reused: true },
  ),
  passed('one byte behind the last chunk', `${head}${hello}${end}!`, ['200 hello']),
  passed('another answer behind the last chunk', `${head}${hello}${end}${evil}`, ['200 hello']),
  passed(
    'another answer behind the last chunk, later',
    [`${head}${hello}`, pause, `${end}${evil}`],
    ['200 hello'],
  ),
  ...faulty('a size that is no number', 'zz\r\nhello\r\n'),
  ...faulty('a size below zero', '-5\r\nhello\r\n'),
  ...faulty('a size with a prefix', '0x5\r\nhello\r\n'),
  ...faulty('no size', '\r\nhello\r\n'),
  ...faulty('a size beyond all bounds', 'FFFFFFFFFFFFFFFF\r\nhello\r\n'),
  ...faulty('a space behind a size', '5 \r\nhello\r\n'),
  ...faulty('a bare LF behind a size', '5\nhello\r\n'),
  ...faulty('data longer than its size', `4\r\nhello\r\n${end}`),
  ...faulty('data shorter than its size', `6\r\nhello\r\n${end}`),
  ...faulty('a bare LF behind data', `5\r\nhello\n${end}`),
  ...faulty('an extension with a NUL', '5;\x00\r\nhello\r\n'),
  ...faulty('an extension without end', `5;${'x'.repeat(5000)}`),
  ...faulty('an answer where a chunk should be', evil),
  ...faulty('a trailer with a NUL', '0\r\nX: \x00\r\n\r\n'),
  ...faulty('a folded trailer', '0\r\nX: y\r\n z\r\n\r\n'),
  ...faulty('a trailer without a colon', '0\r\nX\r\n\r\n'),
  ...faulty('trailers without end', `0\r\n${'X: y\r\n'.repeat(200)}`),
  ...faulty('a trailer without end', `0\r\nX: ${'y'.repeat(20_000)}`),
  cut('the end before the last chunk', [`${head}${hello}`, pause, halfClose], hello),
  cut('a reset before the last chunk', [`${head}${hello}`, pause, reset], hello),
  cut('silence before the last chunk', [`${head}${hello}`, pause], hello),
  cut('the end within a chunk', [`${head}${hello}5\r\nhe`, pause, halfClose], '5\r\nhe'),
  cut('the end within a size', [`${head}${hello}1`, pause, halfClose], '1'),
  cut('the end before the last empty line', [`${head}${hello}0\r\n`, pause, halfClose], '0\r\n'),
  cut('the end within trailers', [`${head}${hello}0\r\nX: y\r\n`, pause, halfClose], '0\r\n'),
  cut('a size that 32 bits would cut to 5', [`${head}100000005\r\nhello\r\n${end}`, pause, halfClose], end),
]
