import type { Socket } from 'node:net'
import { Backlog } from './backlog.ts'
import type { Caller, HandedOver } from './caller.ts'
import {
  BodyReader,
  type ByteWriter,
  type Hop,
  incomplete,
  type Method,
  parseRequestHead,
  RequestHead,
  refused,
} from './codec/codec.ts'
import { type Expiring, noDeadline } from './deadlines.ts'
import { Exchange } from './exchange.ts'
import { type Filter, RequestContext } from './filters/filter.ts'
import type { Queue } from './limits/memory.ts'
import type { Paced } from './limits/pace.ts'
import { Progress } from './limits/progress.ts'
import { writeOnwardHead } from './onward-head.ts'
import { writeOut } from './outgoing.ts'
import type { Passage } from './passages.ts'
import { congestedAbove, type PathContext } from './path-context.ts'
import { type Problem, problemResponse, problems } from './problem.ts'
import type { Service } from './service.ts'
import { readInto } from './shared-inbox.ts'
import { upgradeOf } from './upgrade.ts'

/** Decides which way a request goes: a passage to a service, or why there is none. */
export type RouteRequest = (bytes: Uint8Array, head: RequestHead, hop: Hop) => Passage | Problem

/**
 * What a connection reads next: a head, a body, nothing until the answer is out, or only the client's goodbye; as a
 * tunnel it is somebody else's.
 */
type Phase = 'head' | 'body' | 'answer' | 'closing' | 'tunnel'

/** While none is read. */
const noHead = new RequestHead()

/** How long a closing connection is read on, so that a reset does not overtake our last answer (RFC 9112 section 9.6). */
const lingerMs = 2000

/** One client connection: reads requests, one exchange at a time, in order. */
export class ClientConnection implements Expiring, Caller, Queue, Paced {
  deadline: number
  readonly #path: PathContext
  readonly #socket: Socket
  readonly #route: RouteRequest
  readonly #hop: Hop
  /** The one that is being read; from the pool, and back there once the request is on its way: a warm one is read faster. */
  #head: RequestHead = noHead
  /** Of the last head that was read. */
  #method: Method = 'other'
  #persistent = true
  readonly #body: BodyReader
  readonly #exchange: Exchange
  readonly #backlog: Backlog
  readonly #progress: Progress
  /** What filters see of a request; made by the first that has any to pass. */
  #request: RequestContext | undefined
  #phase: Phase = 'head'
  /** Whether the present head has begun to arrive. */
  #parsing = false
  /** Whether `#consume` runs: what completes meanwhile is gone on with there. */
  #consuming = false
  #requestHeld = false
  #reading = true
  #ended = false
  /** Whether an instance is not read from until this client has taken what there is. */
  #congested = false

  constructor(path: PathContext, socket: Socket, hop: Hop, route: RouteRequest) {
    this.#path = path
    this.#socket = socket
    this.#hop = hop
    this.#route = route
    this.#body = new BodyReader(path.settings.codec)
    this.#exchange = new Exchange(path, this)
    this.#backlog = new Backlog(path.memory)
    this.#progress = new Progress(socket)
    this.deadline = path.deadlines.now + path.settings.headMs
    path.deadlines.add(this)
    path.metrics.connections++
    readInto(path.inbox, socket, (bytes, size) => this.#received(bytes, size))
    socket.on('drain', () => this.#drained())
    socket.on('end', () => this.#peerEnded())
    // `close` follows and does what there is to do.
    socket.on('error', () => {})
    socket.on('close', () => this.#closed())
  }

  /** The gateway closes: now if nothing is under way, else after the present answer. */
  drain(): void {
    if (this.#phase === 'head' && !this.#parsing) this.#close()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  expire(): void {
    if (this.queued > 0 && this.#progress.takes()) {
      this.deadline = this.#bodyDeadline()
      return
    }
    if (this.#phase === 'closing') {
      this.destroy()
    } else if (this.#phase === 'answer') {
      if (this.#exchange.isUnresolved) this.#exchange.unresolved()
      else this.abort()
    } else if (this.#phase === 'body') {
      if (this.#exchange.isUnresolved) this.#exchange.unresolved()
      else this.#breakOff(problems.bodyTimeout)
    } else if (this.#parsing) {
      this.#refuseHead(problems.headTimeout)
    } else {
      this.#path.metrics.struck.keepAlive++
      this.#close()
    }
  }

  get queued(): number {
    return this.#socket.writableLength
  }

  /** Of a queue that was small, the socket does not say that it has emptied. */
  flushed(): void {
    if (this.#congested) this.#drained()
  }

  checkPace(least: number): void {
    const sends = this.#phase === 'body' && !this.#requestHeld && !this.#exchange.isUnresolved
    if (this.#phase === 'tunnel' || (this.queued === 0 && !sends)) {
      this.#progress.excuse()
      return
    }
    if (this.#progress.hasMoved(least)) return
    this.#path.metrics.struck.minRate++
    if (this.queued === 0) this.#breakOff(problems.tooSlow)
    else this.abort()
  }

  #received(chunk: Uint8Array, size: number): void {
    if (this.#phase === 'closing') return
    if (this.#backlog.size === 0) {
      this.#consume(chunk, 0, size)
      return
    }
    const moved = this.#backlog.append(chunk, 0, size)
    if (this.#parsing && moved !== 0) this.#head.moved(moved)
    this.#consumeBacklog()
  }

  #consumeBacklog(): void {
    const { bytes, from, end } = this.#backlog
    this.#consume(bytes, from, end)
  }

  /** Reads what it can out of bytes[from, end) and keeps the rest. */
  #consume(bytes: Uint8Array, from: number, end: number): void {
    this.#consuming = true
    let at = from
    while (at < end || this.#parsing) {
      if (this.#phase === 'head') {
        const next = this.#readHead(bytes, at, end)
        if (next < 0) break
        at = next
      } else if (this.#phase === 'body') {
        at = this.#readBody(bytes, at, end)
        if (at < 0) break
      } else {
        break
      }
    }
    this.#consuming = false
    this.#keep(bytes, at < 0 ? from : at, end)
  }

  #keep(bytes: Uint8Array, at: number, end: number): void {
    const backlog = this.#backlog
    if (this.#phase === 'closing') {
      backlog.drop()
      return
    }
    const from = this.#parsing ? this.#head.origin : at
    if (bytes === backlog.bytes) backlog.consumed(from)
    else if (from < end) {
      backlog.append(bytes, from, end)
      if (this.#parsing) this.#head.moved(-from)
    }
    this.#updateReading()
  }

  /** Returns where the request's head, and what was at hand of its body, ended; negative: no further. */
  #readHead(bytes: Uint8Array, from: number, end: number): number {
    const { settings, deadlines } = this.#path
    if (!this.#parsing) {
      this.#head = this.#path.requestHeads.take()
      this.#head.begin(from)
      this.#parsing = true
      this.deadline = deadlines.now + settings.headMs
    }
    const head = this.#head
    const next = parseRequestHead(bytes, end, head, settings.codec)
    if (next === incomplete) return incomplete
    this.#parsing = false
    this.#method = head.method
    this.#persistent = head.persistent
    if (next !== refused) {
      const after = this.#startRequest(bytes, next, end)
      // A filter that makes up its mind may still look at it.
      if (!this.#exchange.isUnresolved) this.#letGoOfHead()
      return after
    }
    this.#letGoOfHead()
    if (head.refusal !== undefined) this.#refuseHead(head.refusal)
    return refused
  }

  #letGoOfHead(): void {
    if (this.#head === noHead) return
    this.#path.requestHeads.give(this.#head)
    this.#head = noHead
  }

  #startRequest(bytes: Uint8Array, from: number, end: number): number {
    const head = this.#head
    this.#body.begin(head.framing, head.contentLength)
    this.#phase = this.#body.done ? 'answer' : 'body'
    this.#progress.excuse()
    const passage = this.#wayOf(bytes, head)
    if ('status' in passage) {
      this.#path.accessLog.unrouted(passage, this.#hop, bytes, head)
      this.answer(passage)
      return from
    }
    const request = passage.filters.length === 0 ? undefined : this.#begin(bytes, passage.filters)
    const verdict = request?.pass()
    if (request !== undefined && verdict !== undefined && verdict !== 'later') {
      this.#turnAway(request, passage.service, verdict)
      return from
    }
    if (request !== undefined) this.#body.limitTo(request.maxBody)
    const upgrade = head.upgrades ? upgradeOf(bytes, head) : undefined
    const { out } = this.#path
    const isFinal = verdict !== 'later'
    const opened = writeOnwardHead(bytes, head, this.#hop, passage.service, out, upgrade, request, isFinal)
    const next = this.#body.read(bytes, from, end, out)
    if (next === refused) {
      this.#refuseBody(request)
      return refused
    }
    this.#bodyProgressed()
    this.#exchange.open(passage.service, head, out, {
      complete: this.#body.done,
      key: passage.service.keyOf?.(bytes, head, this.#hop),
      stay: passage.service.affinity?.begin(bytes, head),
      retry: passage.retry,
      upgrade,
      request,
      opened,
    })
    if (this.#exchange.isUnresolved) this.deadline = this.#path.deadlines.now + this.#exchange.patienceMs
    return next
  }

  /** Where the request goes, or why it goes nowhere at all. */
  #wayOf(bytes: Uint8Array, head: RequestHead): Passage | Problem {
    const { memory, metrics } = this.#path
    if (memory.isShort && (this.#phase === 'body' || memory.isExhausted)) {
      metrics.struck.memory++
      return problems.overloaded
    }
    return this.#route(bytes, head, this.#hop)
  }

  #refuseBody(request: RequestContext | undefined): void {
    this.#path.out.length = 0
    const { refusal } = this.#body
    if (refusal === undefined) return
    request?.ended({ status: refusal.status, code: refusal.code, ms: 0 })
    this.#refuse(refusal)
  }

  #begin(bytes: Uint8Array, filters: readonly Filter[]): RequestContext {
    this.#request ??= new RequestContext(this.#socket)
    this.#request.begin(bytes, this.#head, this.#hop, filters, this.#path.clock.now())
    return this.#request
  }

  /** A filter has answered it. */
  #turnAway(request: RequestContext, { metrics }: Service, problem: Problem): void {
    const ms = this.#path.clock.now() - request.startedAt
    metrics.answered(problem.status, ms)
    request.ended({ status: problem.status, code: problem.code, ms })
    this.answer(problem)
  }

  #readBody(bytes: Uint8Array, from: number, end: number): number {
    const { out } = this.#path
    const next = this.#body.read(bytes, from, end, out)
    if (next === refused) {
      out.length = 0
      if (this.#body.refusal !== undefined) this.#breakOff(this.#body.refusal)
      return refused
    }
    this.#bodyProgressed()
    this.#exchange.more(out, this.#body.done)
    return next
  }

  #bodyProgressed(): void {
    if (this.#body.done) this.#phase = 'answer'
    // As long as nobody knows where to send it, the wait for that is what counts.
    if (!this.#exchange.isUnresolved) this.#waitForBody()
  }

  /** The deadline for the rest of the request; there is none once it is complete. */
  #waitForBody(): void {
    this.deadline = this.#phase === 'body' ? this.#bodyDeadline() : noDeadline
  }

  send(out: ByteWriter): boolean {
    if (out.length === 0) return true
    writeOut(out, this.#socket)
    // Whoever takes an answer is still there, even if it has ended its own side.
    if (this.#ended) this.deadline = noDeadline
    const { queued } = this
    if (queued === 0) return true
    const { memory } = this.#path
    memory.note(this)
    if (queued <= congestedAbove && !memory.isShort) return true
    this.#congested = true
    this.#progress.noteTaken()
    this.deadline = this.#path.deadlines.now + this.#path.settings.bodyIdleMs
    return false
  }

  answer(problem: Problem): void {
    this.#path.metrics.problem(problem)
    const method = this.#method
    // Behind a CONNECT come the bytes of its tunnel, whether it has been granted or not.
    const close = this.#phase === 'body' || !this.#persistent || this.#path.draining || method === 'CONNECT'
    this.#socket.write(problemResponse(problem, close, method !== 'HEAD'), 'latin1')
    this.exchangeDone(close)
  }

  handOver(): HandedOver {
    const { bytes, from, end } = this.#backlog
    const early = Buffer.from(bytes.subarray(from, end))
    this.#backlog.drop()
    this.#phase = 'tunnel'
    this.deadline = noDeadline
    return { client: this.#socket, early }
  }

  abort(): void {
    this.#phase = 'closing'
    this.#socket.resetAndDestroy()
  }

  resolved(): void {
    this.#waitForBody()
  }

  holdRequest(hold: boolean): void {
    if (this.#requestHeld === hold) return
    this.#requestHeld = hold
    this.#progress.excuse()
    if (this.#phase === 'body' && !this.#exchange.isUnresolved)
      this.deadline = hold ? noDeadline : this.#bodyDeadline()
    this.#updateReading()
  }

  exchangeDone(close: boolean): void {
    if (close || this.#path.draining || (this.#ended && this.#backlog.size === 0)) {
      this.#close()
      return
    }
    this.#letGoOfHead()
    this.#phase = 'head'
    this.#requestHeld = false
    this.#progress.forgetTaken()
    this.deadline = this.#path.deadlines.now + this.#path.settings.keepAliveMs
    if (!this.#consuming) this.#goOn()
  }

  /** Serves what was pipelined, but only as fast as the client takes the answers. */
  #goOn(): void {
    if (this.#phase !== 'head' || this.#socket.writableLength > congestedAbove) return
    if (this.#backlog.size > 0) this.#consumeBacklog()
    else this.#updateReading()
  }

  #drained(): void {
    this.#congested = false
    const isServing = this.#phase === 'body' || this.#phase === 'answer'
    if (isServing && !this.#exchange.isUnresolved) this.#waitForBody()
    this.#exchange.callerDrained()
    if (!this.#consuming) this.#goOn()
  }

  #bodyDeadline(): number {
    return this.#path.deadlines.now + this.#path.settings.bodyIdleMs
  }

  #updateReading(): void {
    const { settings, memory, metrics } = this.#path
    // The rest of a head has to come, however short memory is.
    const most = memory.isShort && !this.#parsing ? 0 : settings.backlogLimit
    const isAhead = this.#backlog.size > most
    const wanted = !this.#requestHeld && !isAhead
    if (wanted === this.#reading) return
    this.#reading = wanted
    if (isAhead) metrics.struck.pipelined++
    if (wanted) this.#socket.resume()
    else this.#socket.pause()
  }

  /** The request can't be read to its end. */
  #breakOff(problem: Problem): void {
    const { hasBegun } = this.#exchange
    this.#exchange.cancel(problem)
    if (!hasBegun) {
      this.#refuse(problem)
      return
    }
    // An error's text in the midst of an answer would be taken for part of it.
    this.#path.metrics.problem(problem)
    this.abort()
  }

  #refuseHead(problem: Problem): void {
    this.#path.accessLog.unrouted(problem, this.#hop)
    this.#refuse(problem)
  }

  /** Answers what can't be served and closes: where the next request would begin is unknown. */
  #refuse(problem: Problem): void {
    this.#path.metrics.problem(problem)
    this.#socket.write(problemResponse(problem, true, true), 'latin1')
    this.#close()
  }

  /**
   * Ends our side, and reads on until the client has ended its own. A client that has announced this as its last
   * request sends no more: there is nothing to wait for.
   */
  #close(): void {
    if (this.#phase === 'closing') return
    const nothingMore = this.#phase === 'answer' && !this.#persistent && this.#backlog.size === 0
    this.#phase = 'closing'
    this.#parsing = false
    this.#backlog.drop()
    this.deadline = this.#path.deadlines.now + lingerMs
    if (nothingMore) {
      this.#socket.destroySoon()
      return
    }
    this.#socket.end()
    this.#socket.resume()
  }

  /** The client will send no more. It may have gone, or wait for its answer with one side closed: nobody can tell. */
  #peerEnded(): void {
    this.#ended = true
    if (this.#phase === 'closing' || this.#phase === 'tunnel') return
    if (this.#phase === 'body') {
      this.destroy()
      return
    }
    if (this.#phase === 'head') {
      this.#close()
      return
    }
    // Who has announced that this is its last request may well wait for the answer.
    if (!this.#persistent || this.#backlog.size > 0) return
    this.deadline = this.#path.deadlines.now + this.#path.settings.halfClosedMs
  }

  #closed(): void {
    this.#phase = 'closing'
    this.#backlog.drop()
    this.#path.deadlines.delete(this)
    this.#path.memory.forget(this)
    this.#path.metrics.connections--
    this.#exchange.cancel()
    this.#letGoOfHead()
  }
}
