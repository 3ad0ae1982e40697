import { ChunkReader } from './http-chunks.ts'
import { type AnswerHead, mayBeHttp, parseAnswerHead } from './http-head.ts'

/** Start line and fields of one head, interim ones included. */
const maxHead = 16_384
/** 1xx heads before the answer. */
const maxInterim = 8
/** How much of a body is read; more of it is not waited for. */
export const maxBody = 65_536

/** What an answer was, or how it went wrong. */
export interface HttpAnswer {
  readonly head: AnswerHead
  /** What was kept of the body's beginning. */
  readonly body: Buffer
  /** Whether the body went on after what was read of it. */
  readonly cut: boolean
  /** Bytes after the end of the answer. */
  readonly excess: number
}

/**
 * Reads one answer, however its bytes are split. Pure: whoever owns the connection calls `read` with what comes, and
 * `ended` when the other side closes.
 */
export class AnswerReader {
  /** The answer, as soon as it is complete. */
  answer: HttpAnswer | undefined
  /** What is wrong with it: continues the sentence `GET / answered …`. */
  fault: string | undefined
  readonly #method: string
  readonly #keep: (head: AnswerHead) => number
  #head: AnswerHead | undefined
  /** A head that came in pieces. */
  #pieces: Buffer | undefined
  #interim = 0
  #remaining = 0
  #chunks: ChunkReader | undefined
  #seen = 0
  #raw = 0
  #kept: Buffer[] = []
  #keptBytes = 0
  #wanted = 0

  /** @param keep how many bytes of the body are wanted, at most 64 KiB */
  constructor(method: string, keep: (head: AnswerHead) => number) {
    this.#method = method
    this.#keep = keep
  }

  get status(): number | undefined {
    return this.#head?.status
  }

  /** Reads `size` bytes. Returns whether the answer is complete, or wrong. */
  read(bytes: Buffer, size: number): boolean {
    if (this.#head !== undefined) this.#readBody(this.#head, bytes, 0, size)
    else if (this.#pieces === undefined) this.#readHeads(bytes, size)
    else {
      const whole = Buffer.concat([this.#pieces, bytes.subarray(0, size)])
      this.#pieces = undefined
      this.#readHeads(whole, whole.length)
    }
    return this.answer !== undefined || this.fault !== undefined
  }

  /** The other side has closed. Returns whether that completes the answer; if not, `fault` says what is missing. */
  ended(): boolean {
    const head = this.#head
    if (head === undefined) {
      this.fault =
        this.#pieces === undefined
          ? 'nothing: it closed the connection'
          : 'with half a head: it closed the connection'
    } else if (head.framing === 'until-close') this.#complete(head, 0, false)
    else this.fault = `${head.status}, and closed the connection within the body`
    return this.answer !== undefined
  }

  #readHeads(bytes: Buffer, size: number): void {
    let from = 0
    for (;;) {
      const end = bytes.subarray(0, size).indexOf('\r\n\r\n', from, 'latin1')
      if (end < 0 || end - from > maxHead) {
        this.#holdHead(bytes, from, size)
        return
      }
      const head = parseAnswerHead(bytes.toString('latin1', from, end), this.#method)
      if (typeof head === 'string') {
        this.fault = head
        return
      }
      from = end + 4
      // 101 was never asked for, and no other head follows it.
      if (head.status >= 200 || head.status === 101) {
        this.#begin(head, bytes, from, size)
        return
      }
      if (++this.#interim > maxInterim) {
        this.fault = `with more than ${maxInterim} interim heads`
        return
      }
    }
  }

  #holdHead(bytes: Buffer, from: number, size: number): void {
    if (from === size) return
    const start = bytes.toString('latin1', from, Math.min(size, from + 64))
    // Four bytes tell what else it may be.
    if (start.length >= 4 && !mayBeHttp(start)) {
      const head = parseAnswerHead(start, this.#method)
      this.fault = typeof head === 'string' ? head : 'with something that is not HTTP'
    } else if (size - from > maxHead)
      this.fault = `with a head that has not ended after ${maxHead / 1024} KiB`
    else this.#pieces = Buffer.from(bytes.subarray(from, size))
  }

  #begin(head: AnswerHead, bytes: Buffer, from: number, size: number): void {
    this.#head = head
    this.#wanted = Math.min(this.#keep(head), maxBody)
    this.#remaining = head.contentLength
    if (head.framing === 'chunked') this.#chunks = new ChunkReader()
    this.#readBody(head, bytes, from, size)
  }

  #readBody(head: AnswerHead, bytes: Buffer, from: number, size: number): void {
    this.#raw += size - from
    if (head.framing === 'none') {
      this.#complete(head, size - from, false)
      return
    }
    if (head.framing === 'chunked') {
      this.#readChunks(head, bytes, from, size)
      return
    }
    const to = head.framing === 'length' ? Math.min(size, from + this.#remaining) : size
    this.#take(bytes, from, to)
    this.#remaining -= to - from
    if (head.framing === 'length' && this.#remaining === 0) this.#complete(head, size - to, false)
    else if (this.#seen >= maxBody) this.#complete(head, 0, true)
  }

  #readChunks(head: AnswerHead, bytes: Buffer, from: number, size: number): void {
    const chunks = this.#chunks
    if (chunks === undefined) return
    const to = chunks.read(bytes, from, size, (data, start, end) => this.#take(data, start, end))
    if (chunks.malformed) this.fault = `${head.status} with malformed chunks`
    else if (chunks.done) this.#complete(head, size - to, false)
    // A million chunks of one byte are a body without end, too.
    else if (this.#seen >= maxBody || this.#raw >= 4 * maxBody) this.#complete(head, 0, true)
  }

  #take(bytes: Buffer, from: number, to: number): void {
    this.#seen += to - from
    const room = this.#wanted - this.#keptBytes
    if (room <= 0 || from === to) return
    const end = Math.min(to, from + room)
    this.#kept.push(Buffer.from(bytes.subarray(from, end)))
    this.#keptBytes += end - from
  }

  #complete(head: AnswerHead, excess: number, cut: boolean): void {
    const body = this.#keptBytes === 0 ? empty : Buffer.concat(this.#kept)
    this.answer = { head, body, cut, excess }
  }
}

const empty = Buffer.alloc(0)
