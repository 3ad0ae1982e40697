import fc from 'fast-check'

const name = fc.oneof(
  { weight: 3, arbitrary: fc.stringMatching(/^[A-Za-z][A-Za-z0-9!#$%&'*+.^_`|~-]{0,10}$/) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      'Accept',
      'Cookie',
      'X-A',
      'Connection',
      'Expect',
      'TE',
      'Trailer',
      'Upgrade',
      'Via',
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom('Content-Length', 'Transfer-Encoding', 'Host', 'content-length') },
)
const value = fc.oneof(
  fc.stringMatching(/^[ \t]{0,2}[!-~\xa1-\xff]{0,12}( [!-~]{1,6})?[ \t]{0,2}$/),
  fc.constantFrom(
    'close',
    'keep-alive',
    'chunked',
    'Chunked ',
    '0',
    '5',
    '05',
    '+5',
    '0x5',
    '5, 5',
    '100-continue',
    '',
  ),
)
const method = fc.constantFrom(
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'OPTIONS',
  'PATCH',
  'TRACE',
  'PURGE',
  'get',
  'CONNECT',
)
const target = fc.oneof(
  fc.stringMatching(/^\/[a-zA-Z0-9/._~%?&=-]{0,16}$/),
  fc.constantFrom(
    '/',
    '*',
    'http://a/',
    'http://b:80/x',
    'http://c',
    'https://d:443/x',
    'a:443',
    '//x',
    '/\xe9',
    '/a b',
    'x',
    'http://u@h/',
  ),
)
const version = fc.oneof(
  { weight: 8, arbitrary: fc.constant('HTTP/1.1') },
  { weight: 1, arbitrary: fc.constantFrom('HTTP/1.0', 'HTTP/1.2', 'http/1.1', 'HTTP/2.0', 'HTTP/1.1 ') },
)

const chunk = fc.tuple(
  fc.constantFrom('', ';x', ';x=y', ';x="a;b"', ' ', '\t'),
  fc.stringMatching(/^[ -~]{1,8}$/),
  fc.constantFrom('\r\n', '\r\n', '\r\n', '\n', ''),
)
const chunkedBody = fc
  .tuple(
    fc.array(chunk, { maxLength: 3 }),
    fc.constantFrom('0\r\n\r\n', '00\r\n\r\n', '0\r\nX-T: 1\r\n\r\n', '0\n\n', '0 \r\n\r\n'),
  )
  .map(([chunks, last]) => {
    const parts = chunks.map(
      ([extension, data, end]) => `${data.length.toString(16)}${extension}\r\n${data}${end}`,
    )
    return parts.join('') + last
  })

const framed = fc.oneof(
  fc.constant(['', ''] as const),
  fc.stringMatching(/^[ -~]{0,9}$/).map(body => [`Content-Length: ${body.length}\r\n`, body] as const),
  chunkedBody.map(body => ['Transfer-Encoding: chunked\r\n', body] as const),
)

const request = fc
  .tuple(
    method,
    target,
    version,
    fc.array(fc.tuple(name, value), { maxLength: 4 }),
    framed,
    fc.constantFrom('Host: h\r\n', 'Host: h\r\n', 'Host:h:80\r\n', ''),
  )
  .map(([m, t, v, fields, [framing, body], host]) => {
    const lines = fields.map(([n, x]) => `${n}:${x}\r\n`).join('')
    return `${m} ${t} ${v}\r\n${host}${lines}${framing}\r\n${body}`
  })

const hostile = [
  '\r',
  '\n',
  '\r\n',
  ' ',
  '\t',
  '\0',
  ':',
  ',',
  ';',
  '\x0b',
  '\x7f',
  '\xa0',
  '0',
  'a',
  '\r\n ',
  ' :',
]

/** A valid-looking request, or one with a hostile byte or two put in, taken out or put over. */
export const requestText = fc.oneof(
  { weight: 2, arbitrary: request },
  {
    weight: 3,
    arbitrary: fc
      .tuple(
        request,
        fc.array(fc.tuple(fc.nat(), fc.constantFrom(...hostile), fc.nat(2)), { minLength: 1, maxLength: 2 }),
      )
      .map(([text, edits]) =>
        edits.reduce((whole, [where, bytes, cut]) => {
          const at = where % (whole.length + 1)
          return whole.slice(0, at) + bytes + whole.slice(at + cut)
        }, text),
      ),
  },
)
