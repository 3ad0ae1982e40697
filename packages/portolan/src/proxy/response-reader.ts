import { Backlog } from './backlog.ts'
import {
  BodyReader,
  incomplete,
  namesInConnection,
  parseResponseHead,
  ResponseHead,
  refusals,
  refused,
} from './codec/codec.ts'
import { noDeadline } from './deadlines.ts'
import { type Flaw, flaws } from './flaw.ts'
import type { PathContext } from './path-context.ts'
import type { ResponseReceiver } from './response-receiver.ts'

/** Whose answers are read. */
export interface ResponseOwner {
  /** Who takes the present answer; `undefined`: nobody any more. */
  readonly receiver: ResponseReceiver | undefined
  /** A 101 head; bytes[from, end) lie behind it. */
  responseSwitches(bytes: Uint8Array, head: ResponseHead, from: number, end: number): void
  /** Some of the body has been read, and more has to come. */
  responseProgressed(receiver: ResponseReceiver): void
  /** Its end has been read; `reusable`: and nothing behind it, after which the peer would not close. */
  responseEnded(reusable: boolean): void
  /** It is not HTTP, or too much. */
  responseRefused(flaw: Flaw): void
}

/** While none is read. */
const noHead = new ResponseHead()

/** So many 1xx may come before the answer: they pass without back-pressure. */
const mostInterims = 64

/** Reads answers off a connection to an instance: heads, of which the last one counts, and a body, for their receiver. */
export class ResponseReader {
  /** Whether the head that counts has been read. */
  inBody = false
  /** How long the peer has said that it keeps the connection idle. */
  keepAliveMs = noDeadline
  readonly #path: PathContext
  readonly #owner: ResponseOwner
  readonly #body: BodyReader
  readonly #backlog: Backlog
  /** The one that is being read; between reads only one that has come in part. */
  #head: ResponseHead = noHead
  /** Of the present answer. */
  #persistent = true
  #untilClose = false
  #interims = 0

  constructor(path: PathContext, owner: ResponseOwner) {
    this.#path = path
    this.#owner = owner
    this.#body = new BodyReader(path.settings.codec)
    this.#backlog = new Backlog(path.memory)
  }

  /** Whether the present answer ends where the peer does. */
  get endsWithPeer(): boolean {
    return this.inBody && this.#untilClose
  }

  /** That has come. */
  read(receiver: ResponseReceiver, chunk: Uint8Array, size: number): void {
    if (this.inBody) {
      this.#readBody(receiver, chunk, 0, size)
      return
    }
    if (this.#backlog.size === 0) {
      this.#readHead(receiver, chunk, 0, size)
      return
    }
    const moved = this.#backlog.append(chunk, 0, size)
    if (moved !== 0) this.#head.moved(moved)
    const { bytes, end } = this.#backlog
    this.#readHead(receiver, bytes, this.#head.start, end)
  }

  #readHead(receiver: ResponseReceiver, bytes: Uint8Array, from: number, end: number): void {
    if (this.#head === noHead) {
      this.#head = this.#path.responseHeads.take()
      this.#head.begin(from)
    }
    const at = this.#readHeads(receiver, this.#head, bytes, from, end)
    if (at === incomplete) return
    this.#letGoOfHead()
    if (at === refused) return
    this.#readBody(this.#owner.receiver ?? receiver, bytes, at, end)
    this.#backlog.drop()
  }

  /** Returns where the answer's body begins; `incomplete`: more of a head has to come; `refused`: there is none. */
  #readHeads(
    receiver: ResponseReceiver,
    head: ResponseHead,
    bytes: Uint8Array,
    from: number,
    end: number,
  ): number {
    let at = from
    for (;;) {
      const next = parseResponseHead(bytes, end, head, this.#path.settings.codec, receiver.method)
      if (next === incomplete) {
        this.#keep(bytes, at, end)
        return incomplete
      }
      if (next === refused) {
        this.#owner.responseRefused(head.refusal ?? refusals.statusLine)
        return refused
      }
      if (head.status === 101) {
        this.#owner.responseSwitches(bytes, head, next, end)
        this.#backlog.drop()
        return refused
      }
      at = next
      if (!head.interim) break
      this.#interims++
      if (this.#interims > mostInterims) {
        this.#owner.responseRefused(flaws.tooManyInterims)
        return refused
      }
      receiver.interim(bytes, head)
      if (this.#owner.receiver === undefined) return refused
      head.begin(at)
      if (at === end) {
        this.#backlog.drop()
        return refused
      }
    }
    // A second before the peer does: what is written to a connection that it has just closed is lost.
    if (head.keepAlive >= 0) this.keepAliveMs = (head.keepAlive - 1) * 1000
    this.#persistent = head.persistent
    this.#untilClose = head.framing === 'until-close'
    this.inBody = true
    this.#body.begin(head.framing, head.contentLength, receiver.responded(bytes, head))
    if (head.framing === 'chunked' && head.connection.namesFields)
      this.#body.withhold(namesInConnection(bytes, head.fields))
    return at
  }

  #keep(bytes: Uint8Array, from: number, end: number): void {
    if (bytes === this.#backlog.bytes) {
      this.#backlog.consumed(from)
      return
    }
    this.#backlog.append(bytes, from, end)
    this.#head.moved(-from)
  }

  #readBody(receiver: ResponseReceiver, bytes: Uint8Array, from: number, end: number): void {
    const next = this.#body.read(bytes, from, end, receiver)
    if (next === refused) this.#owner.responseRefused(this.#body.refusal ?? refusals.chunkSize)
    else if (this.#body.done) this.#owner.responseEnded(next === end && this.#persistent)
    else this.#owner.responseProgressed(receiver)
  }

  #letGoOfHead(): void {
    if (this.#head === noHead) return
    this.#path.responseHeads.give(this.#head)
    this.#head = noHead
  }

  /** The present answer is over: another one may follow. */
  next(): void {
    this.inBody = false
    this.#interims = 0
  }

  /** Nothing more is read. */
  close(): void {
    this.#backlog.drop()
    this.#letGoOfHead()
  }
}
