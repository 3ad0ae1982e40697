import {
  type BodyForm,
  BodyReader,
  type CodecLimits,
  defaultCodecLimits,
  latin1,
  type Method,
  parseRequestHead,
  parseResponseHead,
  RequestHead,
  ResponseHead,
} from '../codec.ts'

/** Reads `text` (one byte a character) in the pieces that `cuts` make of it. */
export function requestOf(text: string, cuts: readonly number[] = [], limits = defaultCodecLimits) {
  const head = new RequestHead()
  const bytes = Buffer.from(text, 'latin1')
  head.begin(0)
  const end = inPieces(bytes.length, cuts, to => parseRequestHead(bytes, to, head, limits))
  return { head, bytes, end, code: head.refusal?.code, status: head.refusal?.status }
}

export function responseOf(text: string, method: Method = 'GET', cuts: readonly number[] = []) {
  const head = new ResponseHead()
  const bytes = Buffer.from(text, 'latin1')
  head.begin(0)
  const end = inPieces(bytes.length, cuts, to =>
    parseResponseHead(bytes, to, head, defaultCodecLimits, method),
  )
  return { head, bytes, end, code: head.refusal?.code, status: head.refusal?.status }
}

function inPieces(length: number, cuts: readonly number[], step: (to: number) => number): number {
  for (const cut of cuts) {
    const end = step(cut)
    if (end !== -1) return end
  }
  return step(length)
}

/** Reads a chunked body in pieces; what the sink got, what followed the body, and why it was refused. */
export function chunkedOf(
  text: string,
  cuts: readonly number[] = [],
  form: BodyForm = 'wire',
  limits: CodecLimits = defaultCodecLimits,
) {
  const reader = new BodyReader(limits)
  const bytes = Buffer.from(text, 'latin1')
  let passed = ''
  const sink = {
    span(source: Uint8Array, from: number, to: number) {
      passed += latin1(source, from, to)
    },
  }
  reader.begin('chunked', 0, form)
  let at = 0
  for (const cut of [...cuts, bytes.length]) {
    if (at < 0 || reader.done) break
    at = reader.read(bytes, at, cut, sink)
  }
  return { passed, done: reader.done, rest: at < 0 ? '' : text.slice(at), code: reader.refusal?.code }
}
