import { type Random, seededRandom } from '@portolan/core'
import {
  BodyReader,
  ByteWriter,
  defaultCodecLimits,
  type Framing,
  type Hop,
  incomplete,
  type Method,
  parseRequestHead,
  parseResponseHead,
  RequestHead,
  ResponseHead,
  refused,
  writeRequestHead,
  writeResponseHead,
} from '../../packages/portolan/src/proxy/codec/codec.ts'
import type { Fuzzer } from './fuzzer.ts'
import { answersOf, requestsOf } from './inputs.ts'

const hop: Hop = {
  peer: '192.0.2.1',
  trusted: false,
  scheme: 'http',
  forwarded: Buffer.from('X-Forwarded-For: 192.0.2.1\r\n'),
}

/** What the codec makes of a stream of messages: the messages as they would be passed on, and how it ended. */
interface Passed {
  readonly messages: readonly string[]
  readonly end: string
}

/** One kind of message, as its reader goes about it. */
interface Kind {
  begin(at: number): void
  moved(distance: number): void
  parse(bytes: Buffer, end: number): number
  /** Writes the head; `none`: nothing follows that could be read. */
  write(
    bytes: Buffer,
    out: ByteWriter,
  ): { readonly framing: Framing; readonly length: number; readonly last: boolean }
  refusal(): string
}

function requests(): Kind {
  const head = new RequestHead()
  return {
    begin: at => head.begin(at),
    moved: distance => head.moved(distance),
    parse: (bytes, end) => parseRequestHead(bytes, end, head, defaultCodecLimits),
    write(bytes, out) {
      writeRequestHead(bytes, head, hop, 'fallback', out)
      return {
        framing: head.framing,
        length: head.contentLength,
        last: !head.persistent || head.method === 'CONNECT',
      }
    },
    refusal: () => head.refusal?.code ?? '',
  }
}

function answers(method: Method): Kind {
  const head = new ResponseHead()
  return {
    begin: at => head.begin(at),
    moved: distance => head.moved(distance),
    parse: (bytes, end) => parseResponseHead(bytes, end, head, defaultCodecLimits, method),
    write(bytes, out) {
      writeResponseHead(bytes, head, '', false, out)
      return {
        framing: head.framing,
        length: head.contentLength,
        last: head.status === 101 || !(head.persistent || head.interim),
      }
    },
    refusal: () => head.refusal?.code ?? '',
  }
}

/** Reads as the gateway does: heads may move in memory while they are incomplete; what has been used is forgotten. */
function read(kind: Kind, text: string, cuts: readonly number[]): Passed {
  const messages: string[] = []
  const body = new BodyReader(defaultCodecLimits)
  const out = new ByteWriter(64)
  let held = Buffer.alloc(0)
  let at = 0
  let inHead = false
  let inBody = false
  let last = false
  let from = 0
  for (const to of [...cuts, text.length]) {
    // Everything used is cut off, so that what is left moves to the front.
    const keep = inHead ? 0 : at
    held = Buffer.concat([held.subarray(keep), Buffer.from(text.slice(from, to), 'latin1')])
    if (!inHead) at = 0
    from = to
    for (;;) {
      if (inBody) {
        const next = body.read(held, at, held.length, out)
        if (next === refused) return { messages, end: `refused: ${body.refusal?.code}` }
        at = next
        if (!body.done) break
        inBody = false
        messages.push(out.toString())
        out.length = 0
        if (last) return { messages, end: 'last' }
      }
      if (!inHead) {
        if (at === held.length) break
        // Within the buffer first, at its front later: `moved` is told.
        kind.begin(at)
        inHead = true
      }
      const end = kind.parse(held, held.length)
      if (end === incomplete) {
        held = Buffer.from(held.subarray(at))
        kind.moved(-at)
        at = 0
        break
      }
      if (end === refused) return { messages, end: `refused: ${kind.refusal()}` }
      inHead = false
      const written = kind.write(held, out)
      last = written.last
      body.begin(written.framing, written.length)
      inBody = true
      at = end
    }
  }
  return { messages, end: inHead ? 'within a head' : inBody ? `within a body: ${out.toString()}` : 'between' }
}

function cutsOf(random: Random, length: number): readonly number[] {
  const dice = random()
  if (dice < 0.2) return Array.from({ length: Math.max(0, length - 1) }, (_, i) => i + 1)
  const cuts = Array.from({ length: 1 + Math.floor(random() * 6) }, () => Math.floor(random() * (length + 1)))
  return cuts.sort((a, b) => a - b)
}

/** However the bytes of a stream come, the codec makes the same of them. */
export const splits: Fuzzer = {
  name: 'splits',
  input(seed) {
    const random = seededRandom(seed)
    return seed % 2 === 0 ? requestsOf(random) : answersOf(random)
  },
  run(seed) {
    const random = seededRandom(seed)
    const isRequest = seed % 2 === 0
    const { method, text } = isRequest
      ? { method: 'GET' as const, text: requestsOf(random) }
      : answersOf(random)
    const kind = () => (isRequest ? requests() : answers(method))
    const whole = read(kind(), text, [])
    for (let turn = 0; turn < 4; turn++) {
      const cuts = cutsOf(random, text.length)
      const cut = read(kind(), text, cuts)
      if (JSON.stringify(cut) === JSON.stringify(whole)) continue
      throw new Error(`cut at ${cuts.join()}: ${JSON.stringify(cut)} instead of ${JSON.stringify(whole)}`)
    }
    return whole.end.startsWith('within a body') ? 'within a body' : whole.end
  },
  close: async () => {},
}
