import { dropped, halfClose, last, pause, type RequestCase, refused, served } from '../case.ts'

const evil = 'GET /evil HTTP/1.1\r\nHost: evil\r\n\r\n'
const upgrade = (protocol: string, more = '') =>
  `GET /x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: ${protocol}\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n${more}\r\n`
const http2 = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
const frames = '\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64'

/** Other protocols on our port, and ways round the routes. The instance here switches to nothing. */
export const protocols: readonly RequestCase[] = [
  refused('the preface of HTTP/2', http2 + frames, '505 version_unsupported'),
  refused('the preface of HTTP/2, byte by byte', [...http2], '505 version_unsupported'),
  refused(
    'a TLS client hello',
    `\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03${'\x00'.repeat(50)}`,
    '400 bad_method',
  ),
  refused('an SSLv2 client hello', '\x80\x2e\x01\x03\x01\x00\x15\x00\x00', '400 bad_method'),
  refused('an SSH banner', 'SSH-2.0-OpenSSH_9.2p1\r\n', '400 bad_method'),
  refused('SOCKS5', '\x05\x01\x00', '400 bad_method'),
  refused('SOCKS4', '\x04\x01\x00\x50\x7f\x00\x00\x01\x00', '400 bad_method'),
  refused('the PROXY protocol', `PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n${evil}`, '400 bad_version'),
  refused(
    'the PROXY protocol, version 2',
    `\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c${'\x01'.repeat(12)}${evil}`,
    '400 bad_method',
  ),
  refused('SMTP', 'EHLO evil\r\n', '400 bad_target'),
  refused('Redis', '*1\r\n$4\r\nPING\r\n', '400 bad_method'),
  refused('memcached', 'get x\r\n', '400 bad_target'),
  refused('PostgreSQL', '\x00\x00\x00\x08\x04\xd2\x16\x2f', '400 bad_method'),
  refused('HTTP/0.9', 'GET /\r\n', '400 bad_target'),
  refused('HTTP/0.9 with a bare LF', 'GET /\n', '400 bad_target'),
  refused('an answer instead of a request', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', '400 bad_method'),
  refused('zeros', '\x00'.repeat(1000), '400 bad_method'),
  refused(
    'every byte once',
    Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)).join(''),
    '400 bad_method',
  ),
  dropped('an empty line, and the end', ['\r\n', pause, halfClose]),

  served(
    'h2c is ignored, and so is what pretends to follow it',
    upgrade('h2c') + evil,
    'GET /x ',
    'GET /evil ',
  ),
  refused(
    'h2c is ignored: its preface is no request',
    upgrade('h2c') + http2,
    '505 version_unsupported',
    'GET /x ',
  ),
  served(
    'h2c in other cases, in lists and twice',
    upgrade('H2C') +
      upgrade('h2c, websocket') +
      upgrade('websocket, h2c') +
      upgrade('websocket', 'Upgrade: h2c\r\n'),
    ...Array.from({ length: 4 }, () => 'GET /x '),
  ),
  served(
    'h2c with a body',
    `${upgrade('h2c', 'Content-Length: 5\r\n').replace('GET', 'POST')}hello`,
    'POST /x hello',
  ),
  served(
    'HTTP and TLS by name',
    upgrade('HTTP/2.0') + upgrade('TLS/1.3') + upgrade('https'),
    'GET /x ',
    'GET /x ',
    'GET /x ',
  ),
  served(
    'a websocket that is not granted makes no tunnel',
    upgrade('websocket', 'Sec-WebSocket-Version: 777\r\nSec-WebSocket-Key: x\r\n') + evil,
    'GET /x ',
    'GET /evil ',
  ),
  served(
    'an Upgrade that Connection does not name',
    `GET /x HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n${evil}`,
    'GET /x ',
    'GET /evil ',
  ),
  served(
    'an Upgrade that is nothing',
    upgrade('') + upgrade('/') + upgrade('a b'),
    'GET /x ',
    'GET /x ',
    'GET /x ',
  ),
  last('an Upgrade by HTTP/1.0', upgrade('websocket').replace('1.1', '1.0'), 'GET /x '),
  served(
    'an Upgrade with a body',
    upgrade('tcp', 'Transfer-Encoding: chunked\r\n').replace('GET', 'POST') +
      `${evil.length.toString(16)}\r\n${evil}\r\n0\r\n\r\n`,
    `POST /x ${evil}`,
  ),
  served(
    'an Expect that nobody knows',
    `POST /x HTTP/1.1\r\nHost: a\r\nExpect: the-moon\r\nContent-Length: 2\r\n\r\nhi${evil}`,
    'POST /x hi',
    'GET /evil ',
  ),
  served(
    'an Expect without a body',
    `GET /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n${evil}`,
    'GET /x ',
    'GET /evil ',
  ),
  served(
    'claims about the way here',
    `GET /x HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 127.0.0.1\r\nX_Forwarded_For: 1.1.1.1\r\nForwarded: for=1.1.1.1\r\nX-Request-Timeout-Ms: 1\r\nx_request_timeout_ms: 1\r\nX-Real-IP: 1.1.1.1\r\nProxy-Connection: close\r\nKeep-Alive: timeout=0\r\nTE: gzip\r\n\r\n`,
    'GET /x ',
  ),
]
