import { bad, halfClose, passed, pause, type ResponseCase, reset, untilClose } from '../case.ts'

const rest = 'Content-Length: 5\r\n\r\nhello'
const badLine = (line: string) => bad(`a line ${JSON.stringify(line.slice(0, 40))}`, `${line}\r\n${rest}`)
const badField = (field: string) =>
  bad(`a field ${JSON.stringify(field.slice(0, 40))}`, `HTTP/1.1 200 OK\r\n${field}\r\n${rest}`)
const fine = (line: string, status = '200') =>
  passed(`a line ${JSON.stringify(line)} is fine`, `${line}\r\n${rest}`, [`${status} hello`], {
    reused: true,
  })
const lost = '502 upstream_lost'
const stops = [
  'H',
  'HTTP/1.1',
  'HTTP/1.1 2',
  'HTTP/1.1 200 OK',
  'HTTP/1.1 200 OK\r',
  'HTTP/1.1 200 OK\r\n',
  'HTTP/1.1 200 OK\r\nContent-Le',
  'HTTP/1.1 200 OK\r\nContent-Length: 5',
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r',
]

/** Heads that are none, and heads that stop. */
export const heads: readonly ResponseCase[] = [
  ...[
    'HTTP/1.1 20 OK',
    'HTTP/1.1 2000 OK',
    'HTTP/1.1 099 OK',
    'HTTP/1.1 600 OK',
    'HTTP/1.1 999 OK',
    'HTTP/1.1 000 OK',
    'HTTP/1.1 2x0 OK',
    'HTTP/1.1 -200 OK',
    'HTTP/1.1 OK',
    'HTTP/1.1',
    'HTTP/1.1  200 OK',
    'HTTP/1.1\t200 OK',
    'HTTP/2 200',
    'HTTP/2.0 200 OK',
    'HTTP/0.9 200 OK',
    'HTTP/1.10 200 OK',
    'http/1.1 200 OK',
    'ICY 200 OK',
    ' HTTP/1.1 200 OK',
    '\r\nHTTP/1.1 200 OK',
    'HTTP/1.1 200 O\x00K',
    'HTTP/1.1 200 OK\x7f',
    'HTTP/1.1 200 OK\r',
    'HTTP/1.1 200 \x1b[2J',
    'HTTP/1.1 200OK',
    'HTTP/1.1 200-OK',
    'GET / HTTP/1.1',
    'SSH-2.0-OpenSSH_9.2p1',
    '220 smtp.example ESMTP',
    '\x15\x03\x01\x00\x02\x02\x28',
    '\x00\x00\x12\x04\x00\x00\x00\x00\x00',
    '<html>',
  ].map(badLine),
  ...['HTTP/1.1 200 OK', 'HTTP/1.1 200 ', 'HTTP/1.1 200', 'HTTP/1.1 200 caf\xe9 \t!'].map(line => fine(line)),
  fine('HTTP/1.2 200 OK'),
  fine('HTTP/1.1 299 What', '299'),
  fine('HTTP/1.1 599 What', '599'),
  bad('bare LFs', 'HTTP/1.1 200 OK\nContent-Length: 5\n\nhello'),
  bad('bare CRs', 'HTTP/1.1 200 OK\rContent-Length: 5\r\rhello'),
  bad('HTTP/0.9', ['<html>hello</html>', halfClose]),
  ...[
    'X : y',
    ' X: y',
    ': y',
    'X',
    'X\x00: y',
    'X: \x00',
    'X: y\x7f',
    'X: y\nSet-Cookie: evil=1',
    'X: y\rSet-Cookie: evil=1',
    'X: y\r\n folded',
    'X: y\r\n\tfolded',
    'X(: y',
    'X\xe9: y',
    'Content-Length : 5',
    'Connection: content-length',
    'Connection: transfer-encoding',
    'Connection: "close"',
    'Transfer-Encoding : chunked',
  ].map(badField),
  bad('one field without end', `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(20_000)}`),
  bad('fields without end', [
    'HTTP/1.1 200 OK\r\n',
    ...Array.from({ length: 40 }, () => `X: ${'y'.repeat(500)}\r\n`),
  ]),
  bad('a reason without end', `HTTP/1.1 200 ${'y'.repeat(20_000)}`),
  bad('too many fields', `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(129)}${rest}`),
  bad('a megabyte of head', `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(1 << 20)}\r\n${rest}`),
  passed(
    'hop-by-hop fields, and what Connection names, go no further',
    `HTTP/1.1 200 OK\r\nConnection: X-Secret\r\nX-Secret: y\r\nKeep-Alive: timeout=5\r\nProxy-Connection: close\r\nUpgrade: h2c\r\nTransfer_Encoding: chunked\r\n${rest}`,
    ['200 hello'],
    { reused: true },
  ),

  ...stops.map(text =>
    bad(`the end behind ${JSON.stringify(text.slice(-16))}`, [text, pause, halfClose], lost),
  ),
  ...stops
    .filter((_, index) => index % 2 === 0)
    .map(text => bad(`a reset behind ${JSON.stringify(text.slice(-16))}`, [text, pause, reset], lost)),
  ...stops
    .filter((_, index) => index % 3 === 0)
    .map(text => bad(`silence behind ${JSON.stringify(text.slice(-16))}`, text, '504 response_timeout')),
  bad('the end instead of an answer', [halfClose], lost),
  bad('a reset instead of an answer', [reset], lost),
  bad('silence instead of an answer', [], '504 response_timeout'),

  passed(
    'an answer behind a 1xx whose last line end comes in two pieces',
    [
      'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r',
      pause,
      '\nhello',
    ],
    ['103 ', '200 hello'],
    { reused: true },
  ),
  bad(
    'a 101 that nobody asked for',
    'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nevil',
  ),
  bad('a 101 without a protocol', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'),
  bad('a 101 to h2c', 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n'),
  passed(
    '1xx before the answer',
    `HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\n${rest}`,
    ['103 ', '102 ', '200 hello'],
    { reused: true },
  ),
  passed(
    'a 100 that nobody asked for',
    `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n${rest}`,
    ['100 ', '200 hello'],
    { reused: true },
  ),
  passed(
    '1xx claim no body',
    `HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\nHTTP/1.1 200 OK\r\n${rest}`,
    ['103 ', '200 hello'],
    { reused: true },
  ),
  {
    ...bad('1xx with a body', 'HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\nhello'),
    answers: ['103 ', '502 bad_response'],
  },
  {
    ...bad('1xx, and the end', ['HTTP/1.1 103 Early Hints\r\n\r\n', pause, halfClose], lost),
    answers: ['103 ', lost],
  },
  {
    ...bad('1xx, and silence', 'HTTP/1.1 103 Early Hints\r\n\r\n'),
    answers: ['103 ', '504 response_timeout'],
  },
  {
    ...bad('1xx, and nonsense', 'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 20\r\n\r\n'),
    answers: ['103 ', '502 bad_response'],
  },
  {
    ...bad('1xx without end', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(70)),
    answers: [...Array.from({ length: 64 }, () => '103 '), '502 bad_response'],
  },
  bad('a 1xx that is malformed', 'HTTP/1.1 103 Early\x00\r\n\r\n'),
  untilClose(
    'an answer that never says where it ends',
    ['HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nhello', pause, halfClose],
    '200 hello',
  ),
]
