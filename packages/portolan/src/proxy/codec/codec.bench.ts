/**
 * What the codec costs per request: reading the head and writing it as the upstream gets it, and the same for the
 * answer. Run: node --import tsx --conditions=portolan-source packages/portolan/src/proxy/codec/codec.bench.ts
 */
import { Bench } from 'tinybench'
import {
  ByteWriter,
  defaultCodecLimits,
  type Hop,
  parseRequestHead,
  parseResponseHead,
  RequestHead,
  ResponseHead,
  writeRequestHead,
  writeResponseHead,
} from './codec.ts'

const hop: Hop = {
  peer: '127.0.0.1',
  trusted: false,
  scheme: 'http',
  forwarded: Buffer.from('X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\n'),
}
const small = Buffer.from('GET / HTTP/1.1\r\nHost: 127.0.0.1:7480\r\n\r\n')
const browser = Buffer.from(
  'GET /shop/products/1234?ref=mail HTTP/1.1\r\nHost: orders.example.test\r\n' +
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n' +
    'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n' +
    'Accept-Language: en-US,en;q=0.9\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nConnection: keep-alive\r\n' +
    'Cookie: session=0f3a9c1e7b5d4e2f8a6b0c9d1e2f3a4b; theme=dark; cart=3f2a1b\r\n\r\n',
)
const answer = Buffer.from(
  'HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sun, 22 Nov 2026 17:10:39 GMT\r\nContent-Type: text/plain\r\n' +
    'Content-Length: 21\r\nConnection: keep-alive\r\n\r\n',
)
const out = new ByteWriter(65_536)
const request = new RequestHead()
const response = new ResponseHead()

function forwardRequest(bytes: Buffer): void {
  request.begin(0)
  if (parseRequestHead(bytes, bytes.length, request, defaultCodecLimits) !== bytes.length)
    throw new Error('refused')
  out.length = 0
  writeRequestHead(bytes, request, hop, 'order', out)
}

const bench = new Bench({ time: 500 })
bench.add('request, 40 bytes', () => forwardRequest(small))
bench.add('request, 540 bytes', () => forwardRequest(browser))
bench.add('response, 160 bytes', () => {
  response.begin(0)
  parseResponseHead(answer, answer.length, response, defaultCodecLimits, 'GET')
  out.length = 0
  writeResponseHead(answer, response, '', false, out)
})
await bench.run()
for (const { name, result } of bench.tasks) {
  if (result.state === 'completed')
    process.stdout.write(`${name}: ${(result.latency.p50 * 1e6).toFixed(0)} ns\n`)
}
