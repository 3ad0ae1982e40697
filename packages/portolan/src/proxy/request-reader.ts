import type { Socket } from 'node:net'
import { Backlog } from './backlog.ts'
import {
  BodyReader,
  incomplete,
  type Method,
  namesInConnection,
  parseRequestHead,
  type Refusal,
  RequestHead,
  refused,
} from './codec/codec.ts'
import type { PathContext } from './path-context.ts'

/**
 * What is read next: a head, a body, nothing until the answer is out, or only the client's goodbye; what comes through a
 * tunnel is somebody else's.
 */
export type Phase = 'head' | 'body' | 'answer' | 'closing' | 'tunnel'

/** Whom requests are read for. */
export interface RequestReceiver {
  /** The first byte of a head has come. */
  headBegun(): void
  /**
   * A head is there, and what has come of its body lies in bytes[from, end): to be read with
   * {@link RequestReader.readBody}. Returns where the body has ended, or that is; negative: no further.
   */
  headRead(bytes: Uint8Array, head: RequestHead, from: number, end: number): number
  /** More of the body has come, which the path's `out` holds. */
  bodyRead(): void
  /** What follows, of a head or of a body, is not HTTP, or too much. */
  requestRefused(refusal: Refusal): void
}

/** While none is read. */
const noHead = new RequestHead()

/**
 * Reads requests off a client's connection, one after the other: what comes while one is under way is kept, and when that
 * is too much, nothing is read from the socket.
 */
export class RequestReader {
  phase: Phase = 'head'
  /** Whether the present head has begun to arrive. */
  inHead = false
  /** Of the last head that was read. */
  method: Method = 'other'
  persistent = true
  readonly body: BodyReader
  readonly #path: PathContext
  readonly #socket: Socket
  readonly #receiver: RequestReceiver
  readonly #backlog: Backlog
  /** The one that is being read; from the free list, and back there once its request is on its way. */
  #head: RequestHead = noHead
  /** Whether `#consume` runs: what completes meanwhile is gone on with there. */
  #consuming = false
  #held = false
  #reading = true

  constructor(path: PathContext, socket: Socket, receiver: RequestReceiver) {
    this.#path = path
    this.#socket = socket
    this.#receiver = receiver
    this.body = new BodyReader(path.settings.codec)
    this.#backlog = new Backlog(path.memory)
  }

  /** Whether something has come that can't be used yet. */
  get isAhead(): boolean {
    return this.#backlog.size > 0
  }

  /** Whether nobody takes more of the present body just now. */
  get isHeld(): boolean {
    return this.#held
  }

  /** That has come. */
  read(chunk: Uint8Array, size: number): void {
    if (this.phase === 'closing') return
    if (this.#backlog.size === 0) {
      this.#consume(chunk, 0, size)
      return
    }
    const moved = this.#backlog.append(chunk, 0, size)
    if (this.inHead && moved !== 0) this.#head.moved(moved)
    this.#consumeBacklog()
  }

  /** The present request is over: the next one may be read. */
  next(): void {
    this.letGoOfHead()
    this.phase = 'head'
    this.#held = false
  }

  /** Reads requests that came ahead of their time, if it is for that now. */
  goOn(): void {
    if (this.#consuming || this.phase !== 'head') return
    if (this.#backlog.size > 0) this.#consumeBacklog()
    else this.#updateReading()
  }

  #consumeBacklog(): void {
    const { bytes, from, end } = this.#backlog
    this.#consume(bytes, from, end)
  }

  /** Reads what it can out of bytes[from, end) and keeps the rest. */
  #consume(bytes: Uint8Array, from: number, end: number): void {
    this.#consuming = true
    let at = from
    while (at < end || this.inHead) {
      let next = incomplete
      if (this.phase === 'head') next = this.#readHead(bytes, at, end)
      else if (this.phase === 'body') next = this.#readMore(bytes, at, end)
      if (next < 0) break
      at = next
    }
    this.#consuming = false
    this.#keep(bytes, at, end)
  }

  #keep(bytes: Uint8Array, at: number, end: number): void {
    const backlog = this.#backlog
    if (this.phase === 'closing') {
      backlog.drop()
      return
    }
    const from = this.inHead ? this.#head.origin : at
    if (bytes === backlog.bytes) backlog.consumed(from)
    else if (from < end) {
      backlog.append(bytes, from, end)
      if (this.inHead) this.#head.moved(-from)
    }
    this.#updateReading()
  }

  /** Returns where the request's head, and what was at hand of its body, ended; negative: no further. */
  #readHead(bytes: Uint8Array, from: number, end: number): number {
    if (!this.inHead) {
      this.#head = this.#path.requestHeads.take()
      this.#head.begin(from)
      this.inHead = true
      this.#receiver.headBegun()
    }
    const head = this.#head
    const next = parseRequestHead(bytes, end, head, this.#path.settings.codec)
    if (next === incomplete) return incomplete
    this.inHead = false
    this.method = head.method
    this.persistent = head.persistent
    if (next !== refused) {
      this.body.begin(head.framing, head.contentLength)
      if (head.framing === 'chunked' && head.connection.namesFields)
        this.body.withhold(namesInConnection(bytes, head.fields))
      this.phase = this.body.done ? 'answer' : 'body'
      return this.#receiver.headRead(bytes, head, next, end)
    }
    this.letGoOfHead()
    if (head.refusal !== undefined) this.#receiver.requestRefused(head.refusal)
    return refused
  }

  /** Nobody looks at the present head any more. */
  letGoOfHead(): void {
    if (this.#head === noHead) return
    this.#path.requestHeads.give(this.#head)
    this.#head = noHead
  }

  /** Reads of the present body into `out` what there is. Returns where that ends; `refused`, and `out` is empty. */
  readBody(bytes: Uint8Array, from: number, end: number): number {
    const { out } = this.#path
    const next = this.body.read(bytes, from, end, out)
    if (next === refused) out.length = 0
    else if (this.body.done) this.phase = 'answer'
    return next
  }

  #readMore(bytes: Uint8Array, from: number, end: number): number {
    const next = this.readBody(bytes, from, end)
    if (next !== refused) this.#receiver.bodyRead()
    else if (this.body.refusal !== undefined) this.#receiver.requestRefused(this.body.refusal)
    return next
  }

  /** Whether the present body is to be read no further. */
  hold(hold: boolean): void {
    this.#held = hold
    this.#updateReading()
  }

  #updateReading(): void {
    const { settings, memory, metrics } = this.#path
    // The rest of a head has to come, however short memory is.
    const most = memory.isShort && !this.inHead ? 0 : settings.backlogLimit
    const isTooFar = this.#backlog.size > most
    const wanted = !this.#held && !isTooFar
    if (wanted === this.#reading) return
    this.#reading = wanted
    if (isTooFar) metrics.struck.pipelined++
    if (wanted) this.#socket.resume()
    else this.#socket.pause()
  }

  /** Reads no further request; what has come ahead is dropped. */
  close(): void {
    this.phase = 'closing'
    this.inHead = false
    this.#backlog.drop()
  }

  /** Reads nothing more: what comes from now on, and what is returned, is a tunnel's. */
  handOver(): Buffer {
    const { bytes, from, end } = this.#backlog
    const early = Buffer.from(bytes.subarray(from, end))
    this.#backlog.drop()
    this.phase = 'tunnel'
    return early
  }
}
