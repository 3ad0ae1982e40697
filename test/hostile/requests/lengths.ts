import { pause, type RequestCase, refused, served } from '../case.ts'

const post = (fields: string, body = '') => `POST /x HTTP/1.1\r\nHost: a\r\n${fields}\r\n\r\n${body}`
/** What a smuggler would have the instance take for a request of its own. */
const evil = 'GET /evil HTTP/1.1\r\nHost: evil\r\n\r\n'

const badLength = (value: string) =>
  refused(
    `Content-Length: ${JSON.stringify(value)}`,
    post(`Content-Length: ${value}`, `hello${evil}`),
    '400 bad_content_length',
  )
const badCoding = (value: string) =>
  refused(
    `Transfer-Encoding: ${JSON.stringify(value)}`,
    post(`Transfer-Encoding: ${value}`, `0\r\n\r\n${evil}`),
    '400 bad_transfer_encoding',
  )
const controlIn = (name: string, value: string) =>
  refused(`${name}: ${JSON.stringify(value)}`, post(`${name}: ${value}`, evil), '400 bad_field_value')
const both = '400 ambiguous_length'

/** Where a body ends: every way to have two recipients disagree. */
export const lengths: readonly RequestCase[] = [
  refused(
    'CL.TE: both lengths',
    post('Content-Length: 6\r\nTransfer-Encoding: chunked', `0\r\n\r\n${evil}`),
    both,
  ),
  refused(
    'TE.CL: both lengths, the other way round',
    post('Transfer-Encoding: chunked\r\nContent-Length: 4', `5c\r\n${evil}\r\n0\r\n\r\n`),
    both,
  ),
  refused(
    'TE.CL0: chunked and no length',
    post('Transfer-Encoding: chunked\r\nContent-Length: 0', `0\r\n\r\n${evil}`),
    both,
  ),
  refused(
    'both lengths, three fields',
    post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\nContent-Length: 5', evil),
    '400 bad_content_length',
  ),
  refused(
    'a length beside identity',
    post('Content-Length: 5\r\nTransfer-Encoding: identity', `hello${evil}`),
    '400 bad_transfer_encoding',
  ),
  served(
    'CL.TE by an underscore: the look-alike is cut out',
    post('Content-Length: 5\r\nTransfer_Encoding: chunked', 'hello'),
    'POST /x hello',
  ),
  refused(
    'a length by an underscore is none',
    post('Content_Length: 5', 'hel)o'),
    '400 bad_method',
    'POST /x ',
  ),
  served(
    'CL.0: what follows a body of nothing is the next request',
    post('Content-Length: 0', evil),
    'POST /x ',
    'GET /evil ',
  ),
  served('a body that looks like a request', post(`Content-Length: ${evil.length}`, evil), `POST /x ${evil}`),
  served(
    'a GET with a body that looks like a request',
    post(`Content-Length: ${evil.length}`, evil).replace('POST', 'GET'),
    `GET /x ${evil}`,
  ),
  served(
    'a DELETE in chunks',
    post('Transfer-Encoding: chunked', `5\r\nhello\r\n0\r\n\r\n`).replace('POST', 'DELETE'),
    'DELETE /x hello',
  ),
  served(
    'an OPTIONS with a length',
    post('Content-Length: 2', 'hi').replace('POST', 'OPTIONS'),
    'OPTIONS /x hi',
  ),
  refused('more body than was said', post('Content-Length: 5', 'hello)('), '400 bad_method', 'POST /x hello'),

  ...[
    '+5',
    '-5',
    '-0',
    '5, 5',
    '5,6',
    '5 5',
    '0x5',
    '5e0',
    '5.0',
    '5;',
    '5,',
    ',5',
    '"5"',
    '',
    'five',
    '\xd9\xa5',
    '0000000000000005',
    '99999999999999999999',
    '18446744073709551621',
    '5\xa0',
  ].map(badLength),
  ...[
    'Content-Length: 5\r\nContent-Length: 5',
    'Content-Length: 5\r\nContent-Length: 6',
    'Content-Length: 5\r\ncontent-length:',
    'Content-Length: 0\r\nX: y\r\nContent-Length: 5',
  ].map(fields =>
    refused(`twice: ${JSON.stringify(fields)}`, post(fields, `hello${evil}`), '400 bad_content_length'),
  ),
  controlIn('Content-Length', '5\x00'),
  controlIn('Content-Length', '\x0b5'),
  controlIn('Content-Length', '5\x7f'),
  refused('a length after a space', post('Content-Length : 5', `hello${evil}`), '400 bad_field_name'),
  refused('a length on the next line', post('Content-Length:\r\n 5', `hello${evil}`), '400 folded_field'),
  served(
    'a length without a space, and with two',
    [
      post('Content-Length:5', 'hello'),
      post('Content-Length:  5  ', 'hello'),
      post('CONTENT-LENGTH:\t5\t', 'hello'),
    ],
    'POST /x hello',
    'POST /x hello',
    'POST /x hello',
  ),
  served('a length with a zero before it', post('Content-Length: 05', 'hello'), 'POST /x hello'),
  refused(
    'a length that 32 bits would cut to 5',
    [post('Content-Length: 4294967301', `hello${evil}`), pause],
    '408 body_timeout',
  ),
  refused(
    'the largest length that is read',
    [post('Content-Length: 999999999999999', `hello${evil}`), pause],
    '408 body_timeout',
  ),

  ...[
    'chunked, chunked',
    'chunked, identity',
    'identity, chunked',
    'gzip, chunked',
    'identity',
    'gzip',
    'xchunked',
    'chunkedx',
    '"chunked"',
    "'chunked'",
    '',
    'chunked;q=1',
    'chunked,',
    ', chunked',
    'chunked\xa0',
    'chun ked',
    'trailers',
  ].map(badCoding),
  refused(
    'Transfer-Encoding twice',
    post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', `0\r\n\r\n${evil}`),
    '400 bad_transfer_encoding',
  ),
  refused(
    'Transfer-Encoding twice, the first one nothing',
    post('Transfer-Encoding:\r\nTransfer-Encoding: chunked', `0\r\n\r\n${evil}`),
    '400 bad_transfer_encoding',
  ),
  refused(
    'Transfer-Encoding twice, the second one cased otherwise',
    post('Transfer-Encoding: chunked\r\ntransfer-encoding: identity', `0\r\n\r\n${evil}`),
    '400 bad_transfer_encoding',
  ),
  controlIn('Transfer-Encoding', '\x0bchunked'),
  controlIn('Transfer-Encoding', 'chunked\x00'),
  controlIn('Transfer-Encoding', 'chunked\x0c'),
  refused(
    'Transfer-Encoding after a space',
    post('Transfer-Encoding : chunked', `0\r\n\r\n${evil}`),
    '400 bad_field_name',
  ),
  refused(
    'Transfer-Encoding after a tab',
    post('Transfer-Encoding\t: chunked', `0\r\n\r\n${evil}`),
    '400 bad_field_name',
  ),
  refused(
    'Transfer-Encoding folded into another field',
    post('X: y\r\n Transfer-Encoding: chunked', `0\r\n\r\n${evil}`),
    '400 folded_field',
  ),
  refused(
    'Transfer-Encoding whose value is folded',
    post('Transfer-Encoding:\r\n chunked', `0\r\n\r\n${evil}`),
    '400 folded_field',
  ),
  refused(
    'Transfer-Encoding that goes on folded',
    post('Transfer-Encoding: chunked\r\n , identity', `0\r\n\r\n${evil}`),
    '400 folded_field',
  ),
  refused(
    'Transfer-Encoding behind a bare LF',
    post('X: y\nTransfer-Encoding: chunked', `0\r\n\r\n${evil}`),
    '400 bad_line_end',
  ),
  refused(
    'Transfer-Encoding behind a bare CR',
    post('X: y\rTransfer-Encoding: chunked', `0\r\n\r\n${evil}`),
    '400 bad_line_end',
  ),
  refused(
    'Transfer-Encoding that ends in CR CR LF',
    post('Transfer-Encoding: chunked\r', `0\r\n\r\n${evil}`),
    '400 bad_line_end',
  ),
  refused(
    'Transfer-Encoding with HTTP/1.0',
    post('Transfer-Encoding: chunked', `0\r\n\r\n${evil}`).replace('1.1', '1.0'),
    '400 bad_transfer_encoding',
  ),
  served(
    'Transfer-Encoding in other cases and with spaces',
    [
      post('Transfer-Encoding: CHUNKED', '0\r\n\r\n'),
      post('transfer-encoding:chUnkeD ', '0\r\n\r\n'),
      post('TRANSFER-ENCODING:\t chunked\t', '2\r\nhi\r\n0\r\n\r\n'),
    ],
    'POST /x ',
    'POST /x ',
    'POST /x hi',
  ),

  ...[
    'content-length',
    'Content-Length, close',
    'transfer-encoding',
    'host',
    'close, HOST',
    'Content_Length',
    'content_type',
    'authorization',
    'cookie',
    'close;x',
    '"close"',
    'a b',
    '\xe9',
  ].map(value =>
    refused(
      `Connection: ${JSON.stringify(value)}`,
      post(`Connection: ${value}\r\nContent-Length: 5`, `hello${evil}`),
      '400 bad_connection',
    ),
  ),
  served(
    'Connection names our own fields: they are set anew',
    post('Connection: X-Forwarded-For, Portolan-Hop, x-y\r\nX-Y: z\r\nContent-Length: 2', 'hi'),
    'POST /x hi',
  ),
]
