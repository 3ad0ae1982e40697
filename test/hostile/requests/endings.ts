import { dropped, halfClose, last, pause, type RequestCase, refused, reset } from '../case.ts'

const whole = 'GET /x HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n'
/** A head that stops within: the method, the target, the version, a name, a value, a line end, the last line end. */
const stops = [
  'G',
  'GET',
  'GET ',
  'GET /',
  'GET /x ',
  'GET /x HTTP/1.',
  'GET /x HTTP/1.1',
  'GET /x HTTP/1.1\r',
  'GET /x HTTP/1.1\r\n',
  'GET /x HTTP/1.1\r\nHo',
  'GET /x HTTP/1.1\r\nHost:',
  'GET /x HTTP/1.1\r\nHost: a',
  'GET /x HTTP/1.1\r\nHost: a\r',
  'GET /x HTTP/1.1\r\nHost: a\r\n',
  whole.slice(0, -1),
  '\r',
  '\r\n',
]
const byLength = 'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n'
const inChunks = 'POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'
const bodies: readonly (readonly [string, string])[] = [
  ['before a body', byLength],
  ['within a body', `${byLength}hello`],
  ['one byte before a body’s end', `${byLength}hello hel`],
  ['before the first chunk', inChunks],
  ['within a size', `${inChunks}1`],
  ['within an extension', `${inChunks}5;x`],
  ['within a size’s line end', `${inChunks}5\r`],
  ['within a chunk', `${inChunks}5\r\nhel`],
  ['behind a chunk', `${inChunks}5\r\nhello`],
  ['between chunks', `${inChunks}5\r\nhello\r\n`],
  ['behind the last chunk’s size', `${inChunks}5\r\nhello\r\n0\r\n`],
  ['within trailers', `${inChunks}0\r\nX: y`],
  ['one byte before the last chunk’s end', `${inChunks}0\r\n\r`],
]
const shown = (text: string) => JSON.stringify(text.slice(-20))

/** Requests that stop: by silence, by the end of the client's side, by a reset. */
export const endings: readonly RequestCase[] = [
  ...stops.map(text => refused(`silence behind ${shown(text)}`, [text, pause], '408 head_timeout')),
  ...stops.map(text => dropped(`the end behind ${shown(text)}`, [text, pause, halfClose])),
  ...stops
    .filter((_, index) => index % 4 === 0)
    .map(text => dropped(`a reset behind ${shown(text)}`, [text, pause, reset])),
  ...bodies.map(([where, text]) => refused(`silence ${where}`, [text, pause], '408 body_timeout')),
  ...bodies.map(([where, text]) => dropped(`the end ${where}`, [text, pause, halfClose])),
  ...bodies.map(([where, text]) => dropped(`a reset ${where}`, [text, pause, reset])),
  refused('silence within the second request', [`${whole}GET /y`, pause], '408 head_timeout', 'GET /x '),
  last('the end within the second request', [`${whole}GET /y`, pause, halfClose], 'GET /x '),
  last('the end right behind a request', [whole, halfClose], 'GET /x '),
  last('the end right behind two requests', [`${whole}${whole}`, halfClose], 'GET /x ', 'GET /x '),
  last('the end right behind a body', [`${byLength}hello hell`, halfClose], 'POST /x hello hell'),
  dropped('nothing, and the end', [halfClose]),
  dropped('nothing, and a reset', [reset]),
]
