import { type RequestCase, refused, served } from '../case.ts'

const evil = 'GET /evil HTTP/1.1\r\nHost: evil\r\n\r\n'
const get = (fields: string) => `GET /x HTTP/1.1\r\nHost: a\r\n${fields}\r\n\r\n${evil}`
const line = (text: string) => `${text}\r\nHost: a\r\n\r\n${evil}`

const badValue = (value: string) =>
  refused(`a value ${JSON.stringify(value)}`, get(`X: ${value}`), '400 bad_field_value')
const badName = (name: string) =>
  refused(`a field line ${JSON.stringify(name)}`, get(name), '400 bad_field_name')
const badMethod = (start: string) =>
  refused(`a line ${JSON.stringify(start.slice(0, 40))}`, line(start), '400 bad_method')
const badTarget = (start: string) =>
  refused(`a line ${JSON.stringify(start.slice(0, 40))}`, line(start), '400 bad_target')
const badVersion = (start: string) =>
  refused(`a line ${JSON.stringify(start.slice(0, 40))}`, line(start), '400 bad_version')
const unsupported = (start: string) =>
  refused(`a line ${JSON.stringify(start)}`, line(start), '505 version_unsupported')

/** Lines and the bytes in them: splitting, folding, controls. */
export const lines: readonly RequestCase[] = [
  refused('bare LFs all through', 'GET /x HTTP/1.1\nHost: a\n\n', '400 bad_version'),
  refused('bare CRs all through', 'GET /x HTTP/1.1\rHost: a\r\r', '400 bad_version'),
  refused('a bare LF behind the request line', 'GET /x HTTP/1.1\nHost: a\r\n\r\n', '400 bad_version'),
  refused('a bare LF behind a field', get('X: y\nZ: z'), '400 bad_line_end'),
  refused('a bare CR in a value', get('X: y\rz'), '400 bad_line_end'),
  refused('a bare CR before a field', get('\rX: y'), '400 bad_line_end'),
  refused('a bare LF for the empty line', `GET /x HTTP/1.1\r\nHost: a\r\n\n${evil}`, '400 bad_field_name'),
  refused('CR CR LF', get('X: y\r'), '400 bad_line_end'),
  refused('a field folded by a space', get('X: y\r\n z'), '400 folded_field'),
  refused('a field folded by a tab', get('X: y\r\n\tz'), '400 folded_field'),
  refused('a space before the first field', `GET /x HTTP/1.1\r\n Host: a\r\n\r\n${evil}`, '400 folded_field'),
  refused('a field folded to nothing', get('X: y\r\n '), '400 folded_field'),
  ...['y\x00', '\x00', 'y\x01z', '\x1b[2J', 'y\x7f', 'y\x08z', 'y\x0bz', 'y\x0c'].map(badValue),
  ...[
    'X : y',
    'X\t: y',
    ': y',
    ':',
    'no colon',
    'X y: z',
    'X(: y',
    'X\x00: y',
    'X\x7f: y',
    'X\xe9: y',
    '"X": y',
    'X[0]: y',
    'X/Y: z',
    'X@Y: z',
    '{: y',
    'X,Y: z',
    'GET /evil HTTP/1.1',
  ].map(badName),
  served(
    'values of any other byte, long and empty names',
    get(`X: \xff\x80caf\xe9\r\n!#$%&'*+-.^_\`|~9: y\r\nE:\r\nY: ${'y'.repeat(8000)}`),
    'GET /x ',
    'GET /evil ',
  ),
  served('one empty line before a request', `\r\n${evil}`, 'GET /evil '),
  refused('two empty lines before a request', `\r\n\r\n${evil}`, '400 bad_method'),
  refused('a bare LF before a request', `\n${evil}`, '400 bad_method'),
  refused('a CR before a request', `\r${evil}`, '400 bad_line_end'),
  ...[
    ' GET /x HTTP/1.1',
    '\tGET /x HTTP/1.1',
    'G\x00T /x HTTP/1.1',
    'G@T /x HTTP/1.1',
    'GE,T /x HTTP/1.1',
    'GET: /x HTTP/1.1',
    '"GET" /x HTTP/1.1',
    'GET\t/x HTTP/1.1',
    'GET\x0b/x HTTP/1.1',
    '(GET /x HTTP/1.1',
    'G\xc9T /x HTTP/1.1',
    'X'.repeat(33),
    `${'X'.repeat(100)} /x HTTP/1.1`,
    '/x HTTP/1.1',
    'GET',
    'GET\x85/x',
  ].map(badMethod),
  ...[
    'GET  /x HTTP/1.1',
    'GET /x\tHTTP/1.1',
    'GET /x\x00 HTTP/1.1',
    'GET /\xc3\xa9 HTTP/1.1',
    'GET /x#y HTTP/1.1',
    'GET /x\x7f HTTP/1.1',
    'GET /x\x0b HTTP/1.1',
    'GET /x',
    'GET x HTTP/1.1',
    'GET x/y HTTP/1.1',
    'GET ?x HTTP/1.1',
    'GET \\x HTTP/1.1',
    'GET * HTTP/1.1',
    'GET *x HTTP/1.1',
    'OPTIONS ** HTTP/1.1',
    'OPTIONS *? HTTP/1.1',
    'GET a:80 HTTP/1.1',
    'GET #x HTTP/1.1',
  ].map(badTarget),
  ...[
    'GET /x  HTTP/1.1',
    'GET /x HTTP/1.1 ',
    'GET /x HTTP/1.1\t',
    'GET /x y HTTP/1.1',
    'GET /x http/1.1',
    'GET /x Http/1.1',
    'GET /x HTTP/1',
    'GET /x HTTP/1.',
    'GET /x HTTP/.1',
    'GET /x HTTP/1.10',
    'GET /x HTTP/11.1',
    'GET /x HTTP /1.1',
    'GET /x HTTP/1,1',
    'GET /x HTTP/+1.1',
    'GET /x HTTP/1.1x',
    'GET /x HTTX/1.1',
    'GET /x ICY',
    'GET /x HTTP/1.1\x00',
    'GET /x ',
    'GET /x HTTP/x.y',
  ].map(badVersion),
  served(
    'later minor versions are read as 1.1, and passed on as 1.1',
    `GET /x HTTP/1.2\r\nHost: a\r\n\r\nPOST /y HTTP/1.9\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n${evil}`,
    'GET /x ',
    'POST /y hi',
    'GET /evil ',
  ),
  refused(
    'a later minor version has no other rules',
    `POST /x HTTP/1.2\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${evil}`,
    '400 ambiguous_length',
  ),
  ...['GET /x HTTP/0.9', 'GET /x HTTP/2.0', 'GET /x HTTP/3.0', 'GET /x HTTP/9.9'].map(unsupported),
  refused(
    'a target split by a line end',
    `GET /x\r\nHost: evil HTTP/1.1\r\nHost: a\r\n\r\n`,
    '400 bad_target',
  ),
  served(
    'line ends by their escapes are no line ends',
    `GET /x%0d%0aHost:%20evil%00 HTTP/1.1\r\nHost: a\r\n\r\n`,
    'GET /x%0d%0aHost:%20evil%00 ',
  ),
  served(
    'targets with whatever else travels',
    `GET /..//%2e%2e/;a=b|{}"<>\\^\`?x=y?z&[] HTTP/1.1\r\nHost: a\r\n\r\n`,
    'GET /..//%2e%2e/;a=b|{}"<>\\^`?x=y?z&[] ',
  ),
  served(
    'methods that nobody knows',
    `get /x HTTP/1.1\r\nHost: a\r\n\r\nM-SEARCH /x HTTP/1.1\r\nHost: a\r\n\r\n${'X'.repeat(32)} /x HTTP/1.1\r\nHost: a\r\n\r\n`,
    'get /x ',
    'M-SEARCH /x ',
    `${'X'.repeat(32)} /x `,
  ),
]
