import { pause, type RequestCase, refused, served } from '../case.ts'

const head = 'POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'
const evil = 'GET /evil HTTP/1.1\r\nHost: evil\r\n\r\n'
const end = '0\r\n\r\n'

const badSize = (size: string) =>
  refused(
    `chunk size ${JSON.stringify(size)}`,
    `${head}${size}\r\nhello\r\n${end}${evil}`,
    '400 bad_chunk_size',
  )
const badExtension = (extension: string) =>
  refused(
    `chunk extension ${JSON.stringify(extension.slice(0, 30))}`,
    `${head}5${extension}\r\nhello\r\n${end}${evil}`,
    '400 bad_chunk_extension',
  )
const goodFirst = (name: string, body: string, content: string) =>
  served(name, `${head}${body}`, `POST /x ${content}`)

/** The chunked coding, bent in every joint. */
export const chunks: readonly RequestCase[] = [
  ...[
    '',
    ' 5',
    '5 ',
    '5\t',
    '\t5',
    '+5',
    '-5',
    '-0',
    '0x5',
    '5h',
    'g',
    '5_0',
    '5,0',
    '5.0',
    '"5"',
    '5\x00',
    '\x005',
    '00000000000005',
    '10000000000000000',
    'FFFFFFFFFFFFFFFFFFFFF',
    '\xb5',
    '5 ;x',
  ].map(badSize),
  refused('a size that ends in a bare LF', `${head}5\nhello\r\n${end}${evil}`, '400 bad_chunk_size'),
  refused('a size that ends in a bare CR', `${head}5\rhello\r\n${end}${evil}`, '400 bad_chunk_size'),
  refused(
    'a size that 32 bits would cut to 5',
    [`${head}100000005\r\nhello\r\n${end}${evil}`, pause],
    '408 body_timeout',
  ),
  refused(
    'the largest size that is read',
    [`${head}FFFFFFFFFFFFF\r\nhello\r\n${end}${evil}`, pause],
    '408 body_timeout',
  ),
  goodFirst(
    'sizes in any case, with zeros before them',
    `a\r\n0123456789\r\n0A\r\n0123456789\r\n0000000000005\r\nhello\r\n${end}`,
    '01234567890123456789hello',
  ),

  refused('data longer than its size', `${head}5\r\nhello!\r\n${end}${evil}`, '400 bad_chunk_end'),
  refused('data shorter than its size', `${head}5\r\nhell\r\n${end}${evil}`, '400 bad_chunk_end'),
  refused('no CRLF behind data', `${head}5\r\nhello${end}${evil}`, '400 bad_chunk_end'),
  refused('a bare LF behind data', `${head}5\r\nhello\n${end}${evil}`, '400 bad_chunk_end'),
  refused('a bare CR behind data', `${head}5\r\nhello\r${end}${evil}`, '400 bad_chunk_end'),
  refused(
    'an empty line before the first size',
    `${head}\r\n5\r\nhello\r\n${end}${evil}`,
    '400 bad_chunk_size',
  ),
  refused('an empty line between chunks', `${head}5\r\nhello\r\n\r\n${end}${evil}`, '400 bad_chunk_size'),
  goodFirst('nothing at all', end, ''),
  goodFirst('several zeros for the last chunk', '0000\r\n\r\n', ''),
  goodFirst('a request as data', `${evil.length.toString(16)}\r\n${evil}\r\n${end}`, evil),
  goodFirst('5,000 chunks of one byte', `${'1\r\nx\r\n'.repeat(5000)}${end}`, 'x'.repeat(5000)),

  refused(
    'the last chunk without its empty line, a request behind it',
    `${head}0\r\n${evil}`,
    '400 bad_field_name',
  ),
  refused('the last chunk with bare LFs', `${head}0\n\n${evil}`, '400 bad_chunk_size'),
  refused('the last chunk with CRLF and a bare LF', `${head}0\r\n\n${evil}`, '400 bad_field_name'),
  refused('the last chunk with CRLF and a bare CR', `${head}0\r\n\r${evil}`, '400 bad_line_end'),
  refused('trailing garbage', `${head}${end})(${evil}`, '400 bad_method', 'POST /x '),
  served('an empty line behind the last chunk', `${head}${end}\r\n${evil}`, 'POST /x ', 'GET /evil '),
  refused(
    'two empty lines behind the last chunk',
    `${head}${end}\r\n\r\n${evil}`,
    '400 bad_method',
    'POST /x ',
  ),

  goodFirst(
    'extensions are read, and not passed on',
    `5;x\r\nhello\r\n5;x=y;z="a;b"\r\nhello\r\n5;\r\nhello\r\n0;last\r\n\r\n`,
    'hellohellohello',
  ),
  ...[';x\x00', ';x\n', ';x\x7f', `;${'x'.repeat(4100)}`].map(badExtension),
  refused('a request in an extension', `${head}5;${evil}hello\r\n${end}`, '400 bad_chunk_end'),
  refused('a line end in a quoted extension', `${head}5;x="\r\nhello"\r\n${end}${evil}`, '400 bad_chunk_end'),
  refused(
    'a little extension with each chunk, without end',
    `${head}${'1;xxxxxxxxx\r\nx\r\n'.repeat(500)}${end}`,
    '400 bad_chunk_extension',
  ),
  refused(
    'an extension without end, in small pieces',
    [`${head}5;`, ...Array.from({ length: 45 }, () => 'x'.repeat(100))],
    '400 bad_chunk_extension',
  ),

  goodFirst('trailers', `5\r\nhello\r\n0\r\nX-Sum: 1\r\nX-Other:2\r\n\r\n`, 'hello'),
  goodFirst(
    'trailers that frame, route or name hops are cut out',
    `0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nHost: evil\r\nConnection: close\r\nX-Forwarded-For: 1.1.1.1\r\nTE: trailers\r\nContent_Length: 7\r\n\r\n`,
    '',
  ),
  goodFirst(
    'trailers that only the gateway may write are cut out',
    `0\r\nX-Forwarded-Host: evil\r\nx_forwarded_proto: https\r\nPortolan-Hop: 1\r\nX-Request-Timeout-Ms: 1\r\nX_Request_Timeout_Ms: 1\r\n\r\n`,
    '',
  ),
  refused('a folded trailer', `${head}0\r\nX: y\r\n z\r\n\r\n${evil}`, '400 folded_field'),
  refused('a trailer with a NUL', `${head}0\r\nX: y\x00\r\n\r\n${evil}`, '400 bad_field_value'),
  refused(
    'a trailer with a space before its colon',
    `${head}0\r\nX : y\r\n\r\n${evil}`,
    '400 bad_field_name',
  ),
  refused('a trailer that ends in a bare LF', `${head}0\r\nX: y\n\r\n${evil}`, '400 bad_line_end'),
  refused('a trailer without a name', `${head}0\r\n: y\r\n\r\n${evil}`, '400 bad_field_name'),
  refused(
    'more trailers than a head may have fields',
    `${head}0\r\n${'X: y\r\n'.repeat(129)}\r\n${evil}`,
    '431 too_many_fields',
  ),
  refused(
    'a trailer without end',
    [`${head}0\r\nX: `, ...Array.from({ length: 20 }, () => 'y'.repeat(1000))],
    '431 head_too_large',
  ),
  refused(
    'trailers without end',
    [`${head}0\r\n`, ...Array.from({ length: 20 }, (_, i) => `X-${i}: ${'y'.repeat(1000)}\r\n`)],
    '431 head_too_large',
  ),
]
