import type { Socket } from 'node:net'
import type { Clock, Milliseconds } from '@portolan/core'
import { Frames, framed } from './frames.ts'
import { alwaysAllowed, notReadAbove, type TcpLimits } from './limits.ts'
import type { EndReason, TcpCounts } from './metrics.ts'
import type { Guest, Room } from './room.ts'

/** Who asks, as the socket tells it. */
export interface TcpClient {
  readonly address: string
  readonly port: number
}

/**
 * Answers one message, or does not: `undefined`. What it is given is not written to any more. It sees to it that no answer
 * takes for ever, and rejects for its own faults alone: these end the connection.
 */
export type Handle = (message: Buffer, client: TcpClient) => Promise<Buffer | undefined> | Buffer | undefined

/** What all connections of a listener share. */
export interface Floor {
  readonly limits: TcpLimits
  readonly handle: Handle
  readonly counts: TcpCounts
  readonly room: Room<Connection>
  /** How long a turn takes. */
  readonly clock: Clock
  /** The time of the last sweep: it advances by one step a sweep, so that nobody pays for our own lateness. */
  now: Milliseconds
  readonly failed: (error: unknown) => void
}

/** A header (RFC 1035 section 4.1.1): whoever sends less does not speak DNS, or has lost count. */
const leastMessage = 12
const longestMessage = 65_535
/** A turn ends with the query that goes beyond this: it is the longest that one client keeps all others waiting at a time. */
const turnMs: Milliseconds = 1
/** Whoever has asked within this time is likely to ask again. */
const livelyMs: Milliseconds = 1000

/**
 * One client's connection. Queries are answered as their answers come, in any order (RFC 7766 section 7), so many at a time;
 * and while a client does not take its answers, no more of its queries are read.
 */
export class Connection implements Guest {
  readonly client: string
  readonly #socket: Socket
  readonly #floor: Floor
  readonly #peer: TcpClient
  readonly #frames = new Frames()
  #underWay = 0
  /** No more is read: the client has ended its side, sent what is no DNS, or the server closes. */
  #isLast = false
  #isDraining = false
  #isPaused = false
  #hasAsked = false
  /** The rest of what there is to read has its turn when others have had theirs. */
  #turn: NodeJS.Immediate | undefined
  #held = 0
  /** When there last was a whole message or an answer; when the message began that is not whole; when an answer was last taken. */
  #activeAt: Milliseconds
  #begunAt: Milliseconds | undefined
  #takenAt: Milliseconds | undefined

  constructor(socket: Socket, peer: TcpClient, client: string, floor: Floor) {
    this.client = client
    this.#socket = socket
    this.#floor = floor
    this.#peer = peer
    this.#activeAt = floor.now
  }

  begin(): void {
    const floor = this.#floor
    const socket = this.#socket
    floor.room.enter(this)
    floor.counts.open++
    floor.counts.opened++
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('end', () => this.#noMore())
    // `close` follows and does what there is to do.
    socket.on('error', () => {})
    socket.on('close', () => this.#closed())
  }

  get isBusy(): boolean {
    return this.#underWay > 0
  }

  get isLively(): boolean {
    return this.#hasAsked && this.#floor.now - this.#activeAt <= livelyMs
  }

  /** Ends it if it has had its time: once a sweep. */
  check(idleMs: Milliseconds): void {
    const { now, limits } = this.#floor
    const isOver = (since: Milliseconds | undefined, ms: Milliseconds): boolean =>
      since !== undefined && now - since > ms
    if (isOver(this.#takenAt, limits.unreadMs)) this.end('unread')
    else if (isOver(this.#begunAt, limits.messageMs)) this.end('slow')
    else if (this.#isIdle && isOver(this.#activeAt, idleMs)) this.end('idle')
  }

  /** The server closes: what is under way is still answered. */
  drain(): void {
    this.#frames.clear()
    this.#isDraining = true
    this.#noMore()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  end(reason: EndReason): void {
    if (this.#socket.destroyed) return
    this.#floor.counts.ended[reason]++
    this.#floor.room.leave(this)
    // Where there is something unsent, the kernel is not to hold on to its part of it either.
    if (this.#socket.writableLength > 0) this.#socket.resetAndDestroy()
    else this.#socket.destroy()
  }

  get #isIdle(): boolean {
    return !this.isBusy && this.#takenAt === undefined && this.#begunAt === undefined
  }

  /** Whether it has to wait before more of its queries are taken. */
  get #isFull(): boolean {
    return this.#underWay >= this.#floor.limits.queries || this.#socket.writableLength >= notReadAbove
  }

  #read(chunk: Buffer): void {
    // Bytes after the last query have to be taken: left unread, they would make the kernel reset what it has of our answers.
    if (this.#isLast) return
    this.#frames.push(chunk)
    this.#proceed()
  }

  /** Takes as many queries as there are and may be. */
  #proceed(): void {
    if (this.#turn !== undefined || this.#socket.destroyed) return
    const { taken, waits } = this.#takeTurn()
    if (this.#socket.destroyed) return
    if (taken > 0) this.#stir()
    if (this.#isLast && !waits) this.#finish()
    const isWaitedFor = this.#frames.hasBegun && !waits
    if (!isWaitedFor) this.#begunAt = undefined
    else if (taken > 0 || this.#begunAt === undefined) this.#begunAt = this.#floor.now
    this.#setPaused(waits)
    this.#account()
  }

  /** How many it took, and whether it stopped before the end: somebody else makes it go on then. */
  #takeTurn(): { readonly taken: number; readonly waits: boolean } {
    const { limits, clock } = this.#floor
    const begunAt = clock.now()
    let taken = 0
    // What is answered at once goes out in one write.
    this.#socket.cork()
    while (!this.#isFull && !this.#socket.destroyed) {
      if (taken === limits.queries || (taken > 0 && clock.now() - begunAt >= turnMs)) {
        this.#proceedLater()
        break
      }
      const message = this.#frames.next()
      if (message === undefined) break
      if (message.length < leastMessage) {
        this.#floor.counts.ended.malformed++
        this.#frames.clear()
        this.#isLast = true
        break
      }
      taken++
      this.#ask(message)
    }
    // Before they go out: as soon as they have, we are told.
    const waits = this.#turn !== undefined || this.#isFull
    this.#socket.uncork()
    return { taken, waits }
  }

  #proceedLater(): void {
    this.#turn ??= setImmediate(() => {
      this.#turn = undefined
      this.#proceed()
    })
  }

  #ask(message: Buffer): void {
    this.#underWay++
    try {
      const answer = this.#floor.handle(message, this.#peer)
      if (answer instanceof Promise) answer.then(this.#answeredLate, this.#failed)
      else this.#answered(answer)
    } catch (error) {
      this.#failed(error)
    }
  }

  #answered(answer: Buffer | undefined): void {
    this.#underWay--
    if (answer === undefined || this.#socket.destroyed) return
    if (answer.length > longestMessage) {
      this.#fail(new RangeError(`an answer of ${answer.length} bytes does not fit into a DNS message`))
      return
    }
    this.#takenAt ??= this.#floor.now
    this.#socket.write(framed(answer), this.#written)
  }

  readonly #answeredLate = (answer: Buffer | undefined): void => {
    this.#answered(answer)
    if (this.#socket.destroyed) return
    this.#stir()
    this.#account()
    if (this.#isPaused || this.#isLast) this.#proceedLater()
  }

  readonly #failed = (error: unknown): void => {
    this.#underWay--
    this.#fail(error)
  }

  #fail(error: unknown): void {
    this.#floor.failed(error)
    this.end('failed')
  }

  /** The kernel has taken an answer: often before others have had their turn, so that it is not ours yet. */
  readonly #written = (): void => {
    if (this.#socket.destroyed) return
    this.#activeAt = this.#floor.now
    this.#takenAt = this.#socket.writableLength > 0 ? this.#floor.now : undefined
    this.#account()
    if (this.#isPaused || this.#isLast) this.#proceedLater()
  }

  /** Nothing more comes, or nothing that is read; queries that have come whole are answered. */
  #noMore(): void {
    this.#isLast = true
    this.#proceed()
  }

  #finish(): void {
    this.#frames.clear()
    if (this.isBusy) return
    // Whoever is only told that we have ended may take his time to end, too.
    if (this.#isDraining) this.#socket.destroySoon()
    else if (!this.#socket.writableEnded) this.#socket.end()
  }

  #setPaused(paused: boolean): void {
    if (paused === this.#isPaused) return
    this.#isPaused = paused
    if (paused) this.#socket.pause()
    else this.#socket.resume()
  }

  #stir(): void {
    this.#hasAsked = true
    this.#activeAt = this.#floor.now
    this.#floor.room.stir(this)
  }

  /** Counts what is kept for it, and ends it where that is too much. */
  #account(): void {
    const floor = this.#floor
    const unsent = this.#socket.writableLength
    const held = this.#frames.held + unsent
    const added = held - this.#held
    this.#held = held
    floor.counts.held += added
    if (unsent > floor.limits.unsent) this.end('unread')
    else if (added > 0 && held > alwaysAllowed && floor.counts.held > floor.limits.memory) this.end('memory')
  }

  #closed(): void {
    clearImmediate(this.#turn)
    this.#turn = undefined
    this.#floor.counts.held -= this.#held
    this.#held = 0
    this.#frames.clear()
    this.#floor.counts.open--
    this.#floor.room.leave(this)
  }
}
