import type { Socket } from 'node:net'
import { Admission, type RouteRequest } from './admission.ts'
import type { Caller, HandedOver } from './caller.ts'
import { type ByteWriter, type Hop, type Refusal, type RequestHead, refused } from './codec/codec.ts'
import { type Expiring, noDeadline } from './deadlines.ts'
import { Exchange } from './exchange.ts'
import type { Queue } from './limits/memory.ts'
import type { Paced } from './limits/pace.ts'
import { Progress } from './limits/progress.ts'
import { writeOnwardHead } from './onward-head.ts'
import { writeOut } from './outgoing.ts'
import { congestedAbove, type PathContext } from './path-context.ts'
import { type Problem, problemResponse, problems } from './problem.ts'
import { RequestReader, type RequestReceiver } from './request-reader.ts'
import { readInto } from './shared-inbox.ts'
import { upgradeOf } from './upgrade.ts'

/** How long a closing connection is read on, so that a reset does not overtake our last answer (RFC 9112 section 9.6). */
const lingerMs = 2000

/** One client connection: takes requests, one exchange at a time, in order, and sees to it that none takes for ever. */
export class ClientConnection implements Expiring, Caller, Queue, Paced, RequestReceiver {
  deadline: number
  readonly #path: PathContext
  readonly #socket: Socket
  readonly #reader: RequestReader
  readonly #admission: Admission
  readonly #exchange: Exchange
  readonly #progress: Progress
  /** Whether the client has ended its side. */
  #ended = false
  /** Whether an instance is not read from until this client has taken what there is. */
  #congested = false

  constructor(path: PathContext, socket: Socket, hop: Hop, route: RouteRequest) {
    this.#path = path
    this.#socket = socket
    this.#reader = new RequestReader(path, socket, this)
    this.#admission = new Admission(path, socket, hop, route)
    this.#exchange = new Exchange(path, this)
    this.#progress = new Progress(socket)
    this.deadline = path.deadlines.in(path.settings.headMs)
    path.deadlines.add(this)
    path.metrics.connections++
    readInto(path.inbox, socket, (bytes, size) => this.#reader.read(bytes, size))
    socket.on('drain', () => this.#drained())
    socket.on('end', () => this.#peerEnded())
    // `close` follows and does what there is to do.
    socket.on('error', () => {})
    socket.on('close', () => this.#closed())
  }

  get hop(): Hop {
    return this.#admission.hop
  }

  /** From its next request on. */
  set hop(hop: Hop) {
    this.#admission.hop = hop
  }

  /** The gateway closes: now if nothing is under way, else after the present answer. */
  drain(): void {
    if (this.#reader.phase === 'head' && !this.#reader.inHead) this.#close()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  expire(): void {
    if (this.queued > 0 && this.#progress.takes()) {
      this.deadline = this.#bodyDeadline()
      return
    }
    const { phase, inHead } = this.#reader
    if (phase === 'closing') {
      this.destroy()
    } else if (phase !== 'head' && this.#exchange.isUnresolved) {
      this.#exchange.unresolved()
    } else if (phase === 'answer') {
      if (this.queued > 0) this.#path.metrics.struck.bodyTime++
      this.abort()
    } else if (phase === 'body') {
      this.#breakOff(problems.bodyTimeout)
    } else if (inHead) {
      this.#refuseHead(problems.headTimeout)
    } else {
      this.#path.metrics.struck[this.#socket.bytesRead > 0 ? 'keepAlive' : 'firstByte']++
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
    const { phase, isHeld } = this.#reader
    const sends = phase === 'body' && !isHeld && !this.#exchange.isUnresolved
    if (phase === 'tunnel' || (this.queued === 0 && !sends)) {
      this.#progress.excuse()
      return
    }
    if (this.#progress.hasMoved(least)) return
    this.#path.metrics.struck.minRate++
    if (this.queued === 0) this.#breakOff(problems.tooSlow)
    else this.abort()
  }

  headBegun(): void {
    this.deadline = this.#path.deadlines.in(this.#path.settings.headMs)
  }

  headRead(bytes: Uint8Array, head: RequestHead, from: number, end: number): number {
    const next = this.#startRequest(bytes, head, from, end)
    // A filter that makes up its mind may still look at it.
    if (!this.#exchange.isUnresolved) this.#reader.letGoOfHead()
    return next
  }

  #startRequest(bytes: Uint8Array, head: RequestHead, from: number, end: number): number {
    const reader = this.#reader
    this.#progress.excuse()
    const passage = this.#admission.admit(bytes, head, reader.phase === 'body')
    if ('status' in passage) {
      this.answer(passage)
      return from
    }
    const { service, retry, noTrailers } = passage
    const { request, isPending } = this.#admission
    if (request !== undefined) {
      reader.body.limitTo(request.maxBody)
      reader.body.withhold(noTrailers)
    }
    const upgrade = head.upgrades ? upgradeOf(bytes, head) : undefined
    const { out } = this.#path
    const opened = writeOnwardHead(
      bytes,
      head,
      this.#admission.hop,
      service,
      out,
      upgrade,
      request,
      !isPending,
    )
    const next = reader.readBody(bytes, from, end)
    if (next === refused) {
      this.#refuseBody()
      return refused
    }
    this.#bodyProgressed()
    this.#exchange.open(service, head, out, {
      complete: reader.body.done,
      key: service.keyOf?.(bytes, head, this.#admission.hop),
      stay: service.affinity?.begin(bytes, head),
      retry,
      upgrade,
      request,
      opened,
    })
    if (this.#exchange.isUnresolved) this.deadline = this.#path.deadlines.in(this.#exchange.patienceMs)
    return next
  }

  /** What has come of a body together with its head can't be read. */
  #refuseBody(): void {
    const { refusal } = this.#reader.body
    if (refusal === undefined) return
    this.#admission.request?.ended({ status: refusal.status, code: refusal.code, ms: 0 })
    this.#refuse(refusal)
  }

  bodyRead(): void {
    this.#bodyProgressed()
    this.#exchange.more(this.#path.out, this.#reader.body.done)
  }

  #bodyProgressed(): void {
    // As long as nobody knows where to send it, the wait for that is what counts.
    if (!this.#exchange.isUnresolved) this.#waitForBody()
  }

  /** The deadline for the rest of the request; there is none once it is complete. */
  #waitForBody(): void {
    this.deadline = this.#reader.phase === 'body' ? this.#bodyDeadline() : noDeadline
  }

  requestRefused(refusal: Refusal): void {
    if (this.#reader.phase === 'head') this.#refuseHead(refusal)
    else this.#breakOff(refusal)
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
    this.deadline = this.#path.deadlines.in(this.#path.settings.bodyIdleMs)
    return false
  }

  answer(problem: Problem): void {
    this.#path.metrics.problem(problem)
    const { phase, method, persistent } = this.#reader
    // Behind a CONNECT come the bytes of its tunnel, whether it has been granted or not.
    const close = phase === 'body' || !persistent || this.#path.draining || method === 'CONNECT'
    const { text } = this.#path.date
    this.#socket.write(problemResponse(problem, text, close, method !== 'HEAD'), 'latin1')
    this.exchangeDone(close)
  }

  handOver(): HandedOver {
    this.deadline = noDeadline
    return { client: this.#socket, early: this.#reader.handOver() }
  }

  abort(): void {
    this.#reader.close()
    this.#socket.resetAndDestroy()
  }

  resolved(): void {
    this.#waitForBody()
  }

  holdRequest(hold: boolean): void {
    if (this.#reader.isHeld === hold) return
    this.#progress.excuse()
    if (this.#reader.phase === 'body' && !this.#exchange.isUnresolved)
      this.deadline = hold ? noDeadline : this.#bodyDeadline()
    this.#reader.hold(hold)
  }

  exchangeDone(close: boolean): void {
    if (close || this.#path.draining || (this.#ended && !this.#reader.isAhead)) {
      this.#close()
      return
    }
    this.#reader.next()
    this.#progress.forgetTaken()
    this.deadline = this.#path.deadlines.in(this.#path.settings.keepAliveMs)
    this.#goOn()
  }

  /** Serves what was pipelined, but only as fast as the client takes the answers. */
  #goOn(): void {
    if (this.queued <= congestedAbove) this.#reader.goOn()
  }

  #drained(): void {
    this.#congested = false
    const { phase } = this.#reader
    if ((phase === 'body' || phase === 'answer') && !this.#exchange.isUnresolved) this.#waitForBody()
    this.#exchange.callerDrained()
    this.#goOn()
  }

  #bodyDeadline(): number {
    return this.#path.deadlines.in(this.#path.settings.bodyIdleMs)
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
    this.#path.accessLog.unrouted(problem, this.#admission.hop)
    this.#refuse(problem)
  }

  /** Answers what can't be served and closes: where the next request would begin is unknown. */
  #refuse(problem: Problem): void {
    this.#path.metrics.problem(problem)
    this.#socket.write(problemResponse(problem, this.#path.date.text, true, true), 'latin1')
    this.#close()
  }

  /**
   * Ends our side, and reads on until the client has ended its own. A client that has announced this as its last
   * request sends no more: there is nothing to wait for.
   */
  #close(): void {
    const { phase, persistent, isAhead } = this.#reader
    if (phase === 'closing') return
    this.#reader.close()
    this.deadline = this.#path.deadlines.in(lingerMs)
    if (phase === 'answer' && !persistent && !isAhead) {
      this.#socket.destroySoon()
      return
    }
    this.#socket.end()
    this.#socket.resume()
  }

  /** The client will send no more. It may have gone, or wait for its answer with one side closed: nobody can tell. */
  #peerEnded(): void {
    this.#ended = true
    const { phase, persistent, isAhead } = this.#reader
    if (phase === 'body') this.destroy()
    else if (phase === 'head') this.#close()
    // Who has announced that this is its last request may well wait for the answer.
    else if (phase === 'answer' && persistent && !isAhead)
      this.deadline = this.#path.deadlines.in(this.#path.settings.halfClosedMs)
  }

  #closed(): void {
    this.#reader.close()
    this.#path.deadlines.delete(this)
    this.#path.memory.forget(this)
    this.#path.metrics.connections--
    this.#exchange.cancel()
    this.#reader.letGoOfHead()
  }
}
