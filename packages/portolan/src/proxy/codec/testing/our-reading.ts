import {
  BodyReader,
  ByteWriter,
  defaultCodecLimits,
  type Hop,
  incomplete,
  latin1,
  parseRequestHead,
  RequestHead,
  type SpanSink,
  writeRequestHead,
} from '../codec.ts'
import type { Reading, Readings } from './node-reading.ts'

const hop: Hop = {
  peer: '192.0.2.1',
  trusted: false,
  scheme: 'http',
  forwarded: Buffer.from('X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\n'),
}

export interface OurReadings extends Readings {
  /** The stream as an upstream would get it: every request that was complete, edited as the gateway edits it. */
  readonly forwarded: string
}

/** Reads a stream of requests with our codec: only those whose body is complete count. */
export function readByUs(text: string): OurReadings {
  const bytes = Buffer.from(text, 'latin1')
  const head = new RequestHead()
  const reader = new BodyReader(defaultCodecLimits)
  const requests: Reading[] = []
  let forwarded = ''
  let at = 0
  while (at < bytes.length) {
    head.begin(at)
    const end = parseRequestHead(bytes, bytes.length, head, defaultCodecLimits)
    if (end === incomplete) break
    if (end < 0) return { requests, forwarded, refusal: head.refusal?.code ?? 'refused' }
    const out = new ByteWriter(256)
    writeRequestHead(bytes, head, hop, 'fallback', out)
    let body = ''
    const content: SpanSink = {
      span(source, from, to) {
        body += latin1(source, from, to)
      },
    }
    // After CONNECT comes a tunnel, not a body (RFC 9110 section 9.3.6).
    const framing = head.method === 'CONNECT' ? 'none' : head.framing
    reader.begin(framing, head.contentLength, 'content')
    const next = reader.read(bytes, end, bytes.length, content)
    if (reader.refusal !== undefined) return { requests, forwarded, refusal: reader.refusal.code }
    if (!reader.done) break
    reader.begin(framing, head.contentLength, 'wire')
    reader.read(bytes, end, bytes.length, out)
    forwarded += out.toString()
    requests.push({
      method: latin1(bytes, head.start, head.methodEnd),
      target: latin1(bytes, head.targetStart, head.targetEnd),
      version: `1.${head.minor}`,
      fields: Array.from({ length: head.fields.count }, (_, i) => [
        latin1(bytes, head.fields.lineStart(i), head.fields.nameEnd(i)).toLowerCase(),
        latin1(bytes, head.fields.valueStart(i), head.fields.valueEnd(i)),
      ]),
      body,
    })
    at = next
    if (!head.persistent || head.method === 'CONNECT') break
  }
  return { requests, forwarded, refusal: undefined }
}
