import type { Endpoint, Milliseconds, PickContext } from '@portolan/core'
import { Answer } from './answer.ts'
import { Attempts } from './attempts.ts'
import type { Caller, Opening } from './caller.ts'
import {
  type BodyForm,
  type ByteWriter,
  isIdempotent,
  type Method,
  type RequestHead,
  type ResponseHead,
} from './codec/codec.ts'
import { Countdown } from './countdown.ts'
import { noDeadline } from './deadlines.ts'
import { endOfOverdue, type FailedTry, noteFlaw, problemAfter } from './failures.ts'
import type { RequestContext } from './filters/filter.ts'
import { Held } from './held.ts'
import type { PathContext } from './path-context.ts'
import type { Waiter } from './pool/pools.ts'
import { type Problem, problems } from './problem.ts'
import type { Failure, ResponseReceiver } from './response-receiver.ts'
import type { Service } from './service.ts'
import { Tunnel } from './tunnel.ts'
import { switchesTo } from './upgrade.ts'
import type { UpstreamConnection } from './upstream-connection.ts'

/**
 * One request and its answer: has an instance tried, sends, has another one tried where that is safe, and passes the answer
 * on. One is kept per client connection and used again.
 */
export class Exchange implements ResponseReceiver, Waiter {
  method: Method = 'other'
  readonly #path: PathContext
  readonly #caller: Caller
  readonly #attempts: Attempts
  readonly #answer: Answer
  readonly #held: Held
  readonly #countdown: Countdown
  /** `undefined`: nothing is under way. */
  #service: Service | undefined
  #request: RequestContext | undefined
  /** Whether a filter keeps it waiting. */
  #filtered = false
  #upgrade: string | undefined
  /** Whether all of the request has come. */
  #complete = false
  #startedAt: Milliseconds = 0

  constructor(path: PathContext, caller: Caller) {
    this.#path = path
    this.#caller = caller
    this.#attempts = new Attempts(this, path.clock)
    this.#answer = new Answer(path)
    this.#held = new Held(path.memory)
    this.#countdown = new Countdown(path, () => this.#overdue())
  }

  /** Whether it waits for a filter, or for the service's first instance set. */
  get isUnresolved(): boolean {
    return this.#filtered || this.#service?.isKnown === false
  }

  /** How long it may wait so. */
  get patienceMs(): Milliseconds {
    const { settings } = this.#path
    return this.#filtered ? settings.responseMs : settings.resolveMs
  }

  /** Whether part of the answer has been sent: then it can only be completed, or cut. */
  get hasBegun(): boolean {
    return this.#answer.begun
  }

  /** A request with a time of its own has all of it, unless there is one for each try. */
  get answerWithinMs(): Milliseconds {
    const most = this.#countdown.isRunning ? noDeadline : this.#path.settings.responseMs
    return Math.min(most, this.#attempts.timeoutMs)
  }

  get context(): PickContext | undefined {
    return this.#attempts.context
  }

  /** Starts with what `out` holds of the request: its head, and what has come of its body. */
  open(service: Service, head: RequestHead, out: ByteWriter, opening: Opening): void {
    const { complete, upgrade, request, opened } = opening
    const now = request?.startedAt ?? this.#path.clock.now()
    this.#service = service
    this.#request = request
    this.method = head.method
    this.#complete = complete
    this.#upgrade = upgrade
    this.#startedAt = now
    this.#held.replayable = isIdempotent(head.method)
    this.#attempts.begin(opening, now)
    this.#answer.begin(head)
    if (!service.enter()) {
      this.#giveUp(problems.tooManyInFlight)
      return
    }
    if (request !== undefined) this.#countdown.start(now, request.deadlineAt)
    service.budget.deposit(now)
    if (request !== undefined && opened !== undefined) {
      this.#held.keep(opened)
      this.#held.takeIn(out)
      this.#filtered = true
      request.onGoOn = problem => this.#goOn(request, problem)
      return
    }
    this.#begin(service)
  }

  /** The filter that said `later` has made up its mind. */
  #goOn(request: RequestContext, problem: Problem | undefined): void {
    const service = this.#service
    if (service === undefined) return
    this.#filtered = false
    if (problem !== undefined) {
      this.#giveUp(problem)
      return
    }
    this.#held.insert(`${request.lines}\r\n`)
    this.#caller.resolved()
    this.#begin(service)
  }

  /** Picks, or waits until there is somebody to pick. */
  #begin(service: Service): void {
    if (service.isKnown) {
      this.#attempt(service)
      return
    }
    this.#held.takeIn(this.#path.out)
    if (!service.wait(this)) this.#giveUp(problems.tooManyPending)
  }

  /** The service's instances have become known. */
  resolved(): void {
    if (this.#service === undefined) return
    this.#caller.resolved()
    this.#attempt(this.#service)
  }

  /** What it waits for has not come in time. */
  unresolved(): void {
    this.#giveUp(this.#filtered ? problems.filterTimeout : problems.noInstance)
  }

  #attempt(service: Service, failed?: FailedTry): void {
    this.#proceed(this.#attempts.next(service, failed))
  }

  granted(endpoint: Endpoint): void {
    if (this.#service !== undefined) this.#proceed(this.#attempts.granted(this.#service, endpoint))
  }

  waitedTooLong(): void {
    if (this.#service === undefined) return
    this.#service.metrics.struck.queueTimeout++
    this.#giveUp(problems.queueTimeout)
  }

  /** A try has begun, or the wait for one, unless there is a problem. */
  #proceed(problem: Problem | undefined): void {
    if (problem !== undefined) {
      this.#giveUp(problem)
      return
    }
    const { connection } = this.#attempts
    if (connection === undefined) {
      this.#keep(this.#path.out)
      return
    }
    const request = this.#request
    if (request?.amendment !== undefined) this.#held.amend(request.amendment)
    if (connection.isConnected) this.#send(connection)
    else this.#held.takeIn(this.#path.out)
  }

  connected(): void {
    const { connection } = this.#attempts
    if (connection !== undefined) this.#send(connection)
  }

  #send(connection: UpstreamConnection): void {
    if (this.#path.out.length > 0) {
      this.#held.pass(this.#path.out, connection, this.#path.settings.replayLimit)
    } else {
      this.#countdown.tell(this.#held)
      this.#held.send(connection)
    }
    this.#caller.holdRequest(connection.congested)
    if (this.#complete) connection.awaitResponse()
  }

  /** More of the request's body. */
  more(out: ByteWriter, complete: boolean): void {
    this.#complete = complete
    const { connection } = this.#attempts
    if (connection === undefined || !connection.isConnected) {
      this.#keep(out)
      return
    }
    if (out.length > 0) {
      this.#held.pass(out, connection, this.#path.settings.replayLimit)
      if (connection.congested) this.#caller.holdRequest(true)
    }
    if (complete) connection.awaitResponse()
  }

  #keep(out: ByteWriter): void {
    this.#held.takeIn(out)
    if (this.#held.isFull(this.#path.settings.replayLimit)) this.#caller.holdRequest(true)
  }

  drained(): void {
    this.#caller.holdRequest(false)
  }

  interim(bytes: Uint8Array, head: ResponseHead): void {
    this.#answer.interim(bytes, head)
    this.#caller.send(this.#path.out)
  }

  switched(bytes: Uint8Array, head: ResponseHead): Tunnel | undefined {
    const service = this.#service
    const { connection } = this.#attempts
    // Before the request's end its own bytes can't be told from the tunnel's.
    if (service === undefined || connection === undefined || !this.#complete) return undefined
    if (this.#upgrade === undefined || !switchesTo(bytes, head, this.#upgrade)) return undefined
    this.#request?.responded(head.status)
    this.#answer.switched(bytes, head, this.#upgrade, this.#attempts.answerLines)
    this.#caller.send(this.#path.out)
    const now = this.#path.clock.now()
    service.metrics.answered(head.status, now - this.#startedAt)
    const closed = this.#attempts.accepted(service.balancer, now)
    const ends = { ...this.#caller.handOver(), instance: connection.handOver() }
    this.#end(head.status, undefined)
    return new Tunnel(this.#path, service.metrics, ends, closed)
  }

  responded(bytes: Uint8Array, head: ResponseHead): BodyForm {
    const { status } = head
    if (this.#attempts.turnsDown(status) && this.#triesElsewhere(status)) return 'content'
    this.#held.forget()
    this.#countdown.stop()
    this.#request?.responded(status)
    // Who says no before it has seen the whole request does not want the rest of it.
    const refusing = !this.#complete && status >= 400
    return this.#answer.head(bytes, head, this.#attempts.answerLines, refusing)
  }

  /** Asks somebody else and leaves the present answer, if there is anybody else and the request is still at hand. */
  #triesElsewhere(status: number): boolean {
    const service = this.#service
    if (service === undefined || !this.#complete || !this.#held.replayable || this.#upgrade !== undefined)
      return false
    const next = this.#attempts.turnDown(service, status)
    if (next === undefined) return false
    this.#proceed(this.#attempts.use(service, next, 'policy'))
    return true
  }

  span(bytes: Uint8Array, from: number, to: number): void {
    this.#path.out.span(bytes, from, to)
  }

  passOn(): void {
    this.#answer.begun = true
    if (!this.#caller.send(this.#path.out)) this.#attempts.connection?.pause()
  }

  callerDrained(): void {
    this.#attempts.connection?.resume()
  }

  finished(reusable: boolean): void {
    const service = this.#service
    if (service === undefined) return
    this.#caller.send(this.#path.out)
    const { status, closing } = this.#answer
    const complete = this.#complete
    const now = this.#path.clock.now()
    service.metrics.answered(status, now - this.#startedAt)
    // Some servers (Node's) read nothing more behind an Upgrade that they have ignored.
    const free = reusable && complete && this.#upgrade === undefined
    this.#attempts.answered(service.balancer, status, now, free)
    this.#end(status, undefined)
    // An answer that came before the request's end leaves both connections in the middle of something.
    this.#caller.exchangeDone(closing || !complete)
  }

  failed(failure: Failure): void {
    const service = this.#service
    const failed = service === undefined ? undefined : this.#attempts.failed(service, failure)
    if (service === undefined || failed === undefined) return
    this.#path.out.length = 0
    noteFlaw(this.#path, service, failed)
    const written = failed.connection.isConnected
    if (!written) service.metrics.connectErrors++
    if (this.#answer.begun) {
      this.#end(this.#answer.status, 'cut', failed.connection.flaw?.code)
      this.#caller.abort()
      return
    }
    if (this.#attempts.mayRetry(service, failed, this.#held.replayable)) {
      this.#attempt(service, failed)
      return
    }
    if (failure === 'lost' && written && !isIdempotent(this.method)) service.metrics.unretried++
    this.#giveUp(problemAfter(failed))
  }

  /** Its time is over, and no answer has begun. */
  #overdue(): void {
    const service = this.#service
    if (service === undefined) return
    service.metrics.deadlineExceeded++
    const { connection, startedAt } = this.#attempts
    const share = this.#countdown.shareSince(startedAt)
    const end = this.#complete ? endOfOverdue(connection, share) : 'cancelled'
    this.#attempts.settle(service.balancer, end)
    connection?.destroy()
    this.#giveUp(problems.deadlineExceeded)
  }

  /** The client has left, or can't be read any further. */
  cancel(problem?: Problem): void {
    const service = this.#service
    if (service === undefined) return
    service.metrics.cancelled++
    service.stopWaiting(this)
    const { connection } = this.#attempts
    this.#attempts.settle(service.balancer, 'cancelled')
    const { begun, status } = this.#answer
    this.#end(begun ? status : (problem?.status ?? 0), problem?.code ?? 'cancelled')
    connection?.destroy()
  }

  #giveUp(problem: Problem): void {
    const service = this.#service
    this.#path.out.length = 0
    if (service !== undefined) {
      this.#attempts.settle(service.balancer, 'cancelled')
      service.stopWaiting(this)
      service.metrics.answered(problem.status, this.#path.clock.now() - this.#startedAt)
    }
    this.#end(problem.status, problem.code, problem.detail)
    this.#caller.answer(problem)
  }

  /** It is over: what the client was told, and why, where that is not an instance's whole answer. */
  #end(status: number, code: string | undefined, detail?: string): void {
    const service = this.#service
    if (service !== undefined) {
      service.underWay -= 1
      this.#attempts.leaveLine(service)
    }
    this.#service = undefined
    this.#filtered = false
    this.#held.forget()
    this.#countdown.stop()
    const request = this.#request
    if (request === undefined) return
    this.#request = undefined
    request.ended({ status, code, detail, ms: this.#path.clock.now() - this.#startedAt })
  }
}
