import type { Socket } from 'node:net'
import { type Milliseconds, troubleOfConnecting } from '@portolan/core'
import type { ByteWriter, ResponseHead } from './codec/codec.ts'
import { type Expiring, noDeadline } from './deadlines.ts'
import { type Flaw, flaws } from './flaw.ts'
import { keepReadable, whenAllIsRead } from './last-words.ts'
import type { Queue } from './limits/memory.ts'
import { mostPosted, type Sender } from './outbox.ts'
import { type Outgoing, text, writeOut } from './outgoing.ts'
import { congestedAbove, type PathContext } from './path-context.ts'
import { dial, type Target } from './pool/dial.ts'
import { type ResponseOwner, ResponseReader } from './response-reader.ts'
import type { Failure, ResponseReceiver } from './response-receiver.ts'
import type { Tunnel } from './tunnel.ts'

/** Where a connection reports that it is no more. */
export interface ConnectionOwner {
  /** How long it may be idle; 0 = not at all. */
  readonly idleMs: Milliseconds
  closed(connection: UpstreamConnection): void
}

/** One connection to an instance. It carries one request at a time; without a receiver it is idle. */
export class UpstreamConnection implements Expiring, Queue, Sender, ResponseOwner {
  deadline = noDeadline
  /** Whether it has been idle before: then the peer may have closed it just as the request was written. */
  reused = false
  /** Whether any byte of an answer to the present request has come. */
  answering = false
  /** Why that answer can't be passed on. */
  flaw: Flaw | undefined
  readonly #path: PathContext
  readonly #owner: ConnectionOwner
  readonly #reader: ResponseReader
  readonly #cancelDial: () => void
  /** From then on it takes no further request. */
  readonly #retireAt: Milliseconds
  #receiver: ResponseReceiver | undefined
  #socket: Socket | undefined
  #tunnel: Tunnel | undefined
  /** Whether the whole request has been handed over. */
  #awaiting = false
  #paused = false
  /** Messages in the outbox. */
  #posted = 0
  /** Whether anything of the present request has gone out. */
  #sent = false
  #wasCongested = false
  /** Whether the peer takes no more of the request; it may have answered before. */
  #deaf = false
  #closed = false

  /** @param receiver absent = it is opened ahead of requests, and idle from the start */
  constructor(path: PathContext, owner: ConnectionOwner, target: Target, receiver?: ResponseReceiver) {
    this.#path = path
    this.#owner = owner
    this.#receiver = receiver
    this.#reader = new ResponseReader(path, this)
    this.deadline = path.deadlines.in(path.settings.connectMs)
    // Jittered, so that connections which were opened together are not renewed together.
    this.#retireAt = path.deadlines.now + path.limits.poolMaxLifetimeMs * (0.9 + 0.2 * path.random())
    path.deadlines.add(this)
    const onread = {
      buffer: path.inbox,
      callback: (size: number, buffer: Uint8Array) => {
        this.#read(buffer, size)
        return true
      },
    }
    this.#cancelDial = dial(target, path.settings.connectMs / 10, onread, {
      connected: socket => this.#connected(socket),
      failed: (why, error) => this.#fail(why === 'tls' ? why : failureOf(error)),
    })
  }

  get receiver(): ResponseReceiver | undefined {
    return this.#receiver
  }

  get isConnected(): boolean {
    return this.#socket !== undefined
  }

  get isOpen(): boolean {
    return !this.#closed
  }

  /** Whether more should wait until `drained`. */
  get congested(): boolean {
    const { queued } = this
    return queued > congestedAbove || (queued > 0 && this.#path.memory.isShort)
  }

  get queued(): number {
    return this.#socket?.writableLength ?? 0
  }

  /** Of a queue that was small, the socket does not say that it has emptied. */
  flushed(): void {
    if (this.#wasCongested) this.#drained()
  }

  /** Starts another request on an idle connection. One that is still being made says later when it is there. */
  assign(receiver: ResponseReceiver): void {
    this.#receiver = receiver
    this.#awaiting = false
    this.#sent = false
    if (this.#socket === undefined) return
    this.reused = true
    this.deadline = noDeadline
  }

  /** Whoever is to take the rest of the present answer, of which its receiver has just seen the head. */
  leaveTo(receiver: ResponseReceiver): void {
    this.#receiver = receiver
  }

  /** Leaves the connection idle for as long as both sides keep it; false: not at all. */
  rest(): boolean {
    const { deadlines } = this.#path
    const { idleMs } = this.#owner
    // Here early is better than late: what the peer closes while a request is on its way to it is lost.
    const ms = Math.min(this.#reader.keepAliveMs, this.#retireAt - deadlines.now)
    this.deadline = Math.min(deadlines.now + ms, deadlines.in(idleMs))
    return ms > 0 && idleMs > 0
  }

  /** Short messages leave with those of other requests (see {@link Outbox}). */
  write(message: Outgoing): void {
    if (this.#deaf) return
    if (typeof message === 'string') {
      this.#post(message)
      return
    }
    if (this.#posted > 0) this.#path.outbox.flush()
    this.#socket?.write(message)
    this.#written()
  }

  #post(message: string): void {
    this.#posted++
    this.#path.outbox.post(this, message)
  }

  deliver(message: string): void {
    this.#posted--
    if (this.#deaf || this.#closed) return
    this.#socket?.write(message, 'latin1')
    this.#written()
  }

  /** Writes what `out` holds, of which nobody keeps a copy. */
  writeOut(out: ByteWriter): void {
    if (this.#deaf) out.length = 0
    else if (out.length <= mostPosted) this.#post(text(out))
    else this.#writeAtOnce(out)
  }

  #writeAtOnce(out: ByteWriter): void {
    if (this.#posted > 0) this.#path.outbox.flush()
    if (this.#socket !== undefined) writeOut(out, this.#socket)
    this.#written()
  }

  #written(): void {
    this.#sent = true
    if (this.queued === 0) return
    this.#path.memory.note(this)
    if (!this.congested) return
    this.#wasCongested = true
    this.deadline = this.#path.deadlines.in(this.#path.settings.bodyIdleMs)
  }

  /** The whole request has been written: from now on the answer is waited for. */
  awaitResponse(): void {
    this.#awaiting = true
    if (this.#reader.inBody) return
    const { answerWithinMs } = this.#receiver ?? { answerWithinMs: this.#path.settings.responseMs }
    const { deadlines, settings } = this.#path
    // What is configured need not be whole steps, and is worth a look at the clock.
    const isOwn = answerWithinMs < settings.responseMs
    this.deadline = isOwn ? deadlines.closelyIn(answerWithinMs) : deadlines.in(answerWithinMs)
  }

  /** Stops reading: whoever takes the answer is congested, and its own deadline counts meanwhile. */
  pause(): void {
    this.#paused = true
    this.#socket?.pause()
    this.deadline = noDeadline
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#socket?.resume()
    this.deadline = this.#path.deadlines.in(this.#path.settings.bodyIdleMs)
    if (this.#deaf) this.#hearOut()
  }

  /** Closes at once; the receiver hears nothing more. */
  destroy(): void {
    if (this.#closed) return
    this.#closed = true
    this.#receiver = undefined
    this.#reader.close()
    this.#path.deadlines.delete(this)
    this.#path.memory.forget(this)
    this.#cancelDial()
    this.#socket?.destroy()
    this.#owner.closed(this)
  }

  expire(): void {
    if (this.#receiver === undefined) this.destroy()
    else if (this.#socket === undefined) this.#fail('connect-timeout')
    else this.#fail(this.#reader.inBody ? 'body-timeout' : 'response-timeout')
  }

  /** Gives its socket away: nothing is read as HTTP any more. What comes goes to the tunnel that `switched` answers. */
  handOver(): Socket {
    if (this.#socket === undefined) throw new Error('a connection can be handed over only once it is there')
    this.#receiver = undefined
    this.deadline = noDeadline
    return this.#socket
  }

  #connected(socket: Socket): void {
    this.#socket = socket
    keepReadable(socket, () => {
      this.#deaf = true
      this.#hearOut()
    })
    socket.on('error', () => this.#fail('lost'))
    socket.on('close', () => this.#fail('lost'))
    socket.on('end', () => this.#ended())
    socket.on('drain', () => this.#drained())
    this.deadline = noDeadline
    if (this.#receiver === undefined) this.rest()
    else this.#receiver.connected()
  }

  /** Reads what a peer that takes no more has said before: that is all it will ever say. */
  #hearOut(): void {
    if (this.#socket === undefined) return
    whenAllIsRead(this.#socket, () => {
      if (!this.#paused) this.#fail('lost')
    })
  }

  #drained(): void {
    this.#wasCongested = false
    // An early answer may have set it free already: then it rests.
    if (this.#receiver === undefined) return
    if (this.#awaiting) this.awaitResponse()
    else if (!this.#reader.inBody) this.deadline = noDeadline
    this.#receiver.drained()
  }

  #read(chunk: Uint8Array, size: number): void {
    // A byte that nobody asked for: whatever it is, the next request must not take it for its answer.
    if (this.#receiver === undefined) {
      if (this.#tunnel === undefined) this.destroy()
      else this.#tunnel.fromInstance(chunk, 0, size)
      return
    }
    if (this.#posted > 0 && !this.#sent) {
      // It came before the request has gone out: whatever it is (a 408 for being idle, say), it is no answer to it.
      this.#fail('lost')
      return
    }
    this.answering = true
    this.#reader.read(this.#receiver, chunk, size)
  }

  responseSwitches(bytes: Uint8Array, head: ResponseHead, from: number, end: number): void {
    this.#tunnel = this.#receiver?.switched(bytes, head)
    if (this.#tunnel === undefined) this.responseRefused(flaws.unaskedSwitch)
    else if (from < end) this.#tunnel.fromInstance(bytes, from, end)
  }

  responseProgressed(receiver: ResponseReceiver): void {
    this.deadline = this.#path.deadlines.in(this.#path.settings.bodyIdleMs)
    receiver.passOn()
  }

  responseEnded(reusable: boolean): void {
    this.#finish(reusable && !this.#deaf)
  }

  responseRefused(flaw: Flaw): void {
    this.flaw = flaw
    this.#fail('bad-response')
  }

  /** Ready for the next request before the receiver hears of the end: it may release the connection right away. */
  #finish(reusable: boolean): void {
    const receiver = this.#receiver
    this.#receiver = undefined
    this.#reader.next()
    this.answering = false
    this.deadline = noDeadline
    receiver?.finished(reusable)
  }

  #ended(): void {
    if (this.#tunnel !== undefined) return
    if (this.#reader.endsWithPeer && this.#receiver !== undefined) {
      this.#finish(false)
      return
    }
    this.#fail('lost')
  }

  #fail(failure: Failure): void {
    const receiver = this.#receiver
    this.destroy()
    receiver?.failed(failure)
  }
}

function failureOf(error: Error): Failure {
  const trouble = troubleOfConnecting('code' in error ? error.code : undefined)
  if (trouble === undefined) return 'own'
  if (trouble === 'timeout') return 'connect-timeout'
  return trouble === 'refused' ? trouble : 'connect'
}
