import {
  bad,
  cut,
  gone,
  halfClose,
  idle,
  passed,
  pause,
  type ResponseCase,
  reset,
  untilClose,
} from '../case.ts'

const ok = (fields: string, body = '') => `HTTP/1.1 200 OK\r\n${fields}\r\n\r\n${body}`
const five = ok('Content-Length: 5', 'hello')
/** What would be another client's answer, if anybody took it for one. */
const evil = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'
const head = { request: 'HEAD /1 HTTP/1.1\r\nHost: a\r\n\r\n' }

const badLength = (value: string) =>
  bad(`Content-Length: ${JSON.stringify(value)}`, ok(`Content-Length: ${value}`, 'hello'))
const badCoding = (value: string) =>
  bad(
    `Transfer-Encoding: ${JSON.stringify(value)}`,
    ok(`Transfer-Encoding: ${value}`, '5\r\nhello\r\n0\r\n\r\n'),
  )

/** Answers longer, shorter, or more than they say. */
export const lengths: readonly ResponseCase[] = [
  passed('an answer as it should be', five, ['200 hello'], { reused: true }),
  passed('an answer byte by byte', [...five], ['200 hello'], { reused: true }),
  passed('one byte too many', `${five}!`, ['200 hello']),
  passed('one byte too many, later', [five, idle, '!', gone], ['200 hello'], { reused: true }),
  passed('two answers at once', `${five}${evil}`, ['200 hello']),
  passed(
    'two answers, the second one in the packet behind',
    ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel', pause, `lo${evil}`],
    ['200 hello'],
  ),
  passed('an empty line behind the answer', `${five}\r\n`, ['200 hello']),
  passed('a body where none was said', ok('Content-Length: 0', 'hello'), ['200 ']),
  cut('a body cut by the end', [ok('Content-Length: 9', 'hello'), pause, halfClose], 'hello'),
  cut('a body cut by a reset', [ok('Content-Length: 9', 'hello'), pause, reset], 'hello'),
  cut('a body cut by silence', [ok('Content-Length: 9', 'hello'), pause], 'hello'),
  cut(
    'a body cut by silence before its first byte',
    ok('Date: x\r\nContent-Length: 9'),
    'Content-Length: 9\r\n\r\n',
  ),
  cut(
    'a body that is never sent whole',
    [ok('Content-Length: 999999999999999', 'hello'), pause, halfClose],
    'hello',
  ),

  untilClose('no length, and the end', [ok('X: y', 'hello'), pause, halfClose], '200 hello'),
  untilClose('no length, and the end at once', [ok('X: y'), halfClose], '200 '),
  cut('no length, and a reset', [ok('X: y', 'hello'), pause, reset], 'hello'),
  cut('no length, and silence', [ok('X: y', 'hello'), pause], 'hello'),
  untilClose(
    'no length, and two answers: all of it is one body',
    [ok('X: y', evil), pause, halfClose],
    `200 ${evil}`,
  ),
  untilClose('no length by HTTP/1.0', ['HTTP/1.0 200 OK\r\n\r\nhello', halfClose], '200 hello'),
  passed('a length by HTTP/1.0', five.replace('1.1', '1.0'), ['200 hello']),
  passed(
    'a length by HTTP/1.0, kept alive',
    `HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello`,
    ['200 hello'],
    { reused: true },
  ),
  passed(
    'a connection that is said to close and does not',
    ok('Connection: close\r\nContent-Length: 5', 'hello'),
    ['200 hello'],
  ),

  ...[
    '+5',
    '-5',
    '5, 5',
    '5,6',
    '0x5',
    '5.0',
    '',
    'five',
    '5 5',
    '0000000000000005',
    '99999999999999999999',
    '5;',
    '"5"',
  ].map(badLength),
  ...[
    'Content-Length: 5\r\nContent-Length: 5',
    'Content-Length: 5\r\ncontent-length: 6',
    'Content-Length: 5\r\nContent-Length:',
  ].map(fields => bad(`twice: ${JSON.stringify(fields)}`, ok(fields, 'hello'))),
  bad('both lengths', ok('Content-Length: 5\r\nTransfer-Encoding: chunked', '5\r\nhello\r\n0\r\n\r\n')),
  bad(
    'both lengths, the other way round',
    ok('Transfer-Encoding: chunked\r\nContent-Length: 15', '5\r\nhello\r\n0\r\n\r\n'),
  ),
  ...[
    'gzip',
    'identity',
    'chunked, chunked',
    'gzip, chunked',
    'chunked, gzip',
    'xchunked',
    '',
    '"chunked"',
    'chunked;x=y',
    ',chunked',
  ].map(badCoding),
  bad('Transfer-Encoding twice', ok('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', '0\r\n\r\n')),
  bad('Transfer-Encoding by HTTP/1.0', ok('Transfer-Encoding: chunked', '0\r\n\r\n').replace('1.1', '1.0')),
  untilClose('a length by an underscore is none', [ok('Content_Length: 3', 'hello'), halfClose], '200 hello'),
  passed('spaces around a length', ok('Content-Length: \t 5  ', 'hello'), ['200 hello'], { reused: true }),

  passed('HEAD: the length that a body would have', ok('Content-Length: 5'), ['200 '], {
    ...head,
    reused: true,
  }),
  passed('HEAD with a body', five, ['200 '], head),
  passed('HEAD with an answer as body', ok(`Content-Length: ${evil.length}`, evil), ['200 '], head),
  passed('HEAD with chunks', ok('Transfer-Encoding: chunked', '5\r\nhello\r\n0\r\n\r\n'), ['200 '], head),
  passed('HEAD that says chunks and sends none', ok('Transfer-Encoding: chunked'), ['200 '], {
    ...head,
    reused: true,
  }),
  passed('HEAD without a length', ok('X: y'), ['200 '], { ...head, reused: true }),
  passed('204 with a body', 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello', ['204 ']),
  passed('204 with an answer as body', `HTTP/1.1 204 No Content\r\n\r\n${evil}`, ['204 ']),
  passed(
    '204 with chunks',
    'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    ['204 '],
  ),
  passed('304 with a body', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello', ['304 ']),
  passed('304 with chunks', 'HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', [
    '304 ',
  ]),
  passed(
    '205 with a body is one like any other',
    'HTTP/1.1 205 Reset Content\r\nContent-Length: 5\r\n\r\nhello',
    ['205 hello'],
    { reused: true },
  ),
]
