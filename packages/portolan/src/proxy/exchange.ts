import type { Endpoint, Milliseconds, PickContext, Trouble } from '@portolan/core'
import type { Caller, Opening } from './caller.ts'
import {
  type BodyForm,
  type ByteWriter,
  connectionField,
  isIdempotent,
  type Method,
  type RequestHead,
  type ResponseHead,
  writeResponseHead,
} from './codec/codec.ts'
import { Countdown } from './countdown.ts'
import { noDeadline } from './deadlines.ts'
import { Discard } from './discard.ts'
import { endOf, endOfOverdue, type FailedTry, judge, problemOf, settle } from './failures.ts'
import type { PickedBy, RequestContext } from './filters/filter.ts'
import { Held } from './held.ts'
import type { PathContext } from './path-context.ts'
import type { Place } from './pool/line.ts'
import type { Pool } from './pool/pool.ts'
import type { Waiter } from './pool/pools.ts'
import { type Problem, problems } from './problem.ts'
import { Retries } from './retries.ts'
import type { Service } from './service.ts'
import { answerLines, type Stay } from './sticky/stay.ts'
import { Tunnel } from './tunnel.ts'
import { switchesTo, upgradeLines } from './upgrade.ts'
import type { Failure, ResponseReceiver, UpstreamConnection } from './upstream-connection.ts'

/**
 * One request and its answer: picks an instance, sends, tries once more where that is safe, and passes the answer on.
 * One is kept per client connection and used again.
 */
export class Exchange implements ResponseReceiver, Waiter {
  method: Method = 'other'
  readonly #path: PathContext
  readonly #caller: Caller
  #service: Service | undefined
  #request: RequestContext | undefined
  /** Whether a filter keeps it waiting. */
  #filtered = false
  #endpoint: Endpoint | undefined
  #pool: Pool | undefined
  #connection: UpstreamConnection | undefined
  readonly #held: Held
  /** Instances that it was tried at and failed, the last one last. */
  #tried: Endpoint[] = none
  #context: PickContext | undefined
  #stay: Stay | undefined
  #upgrade: string | undefined
  /** Where it stands in line for a connection. */
  #place: Place<Waiter> | undefined
  readonly #retries = new Retries()
  readonly #countdown: Countdown
  #complete = false
  #minor = 1
  #persistent = true
  #closing = false
  #status = 0
  #begun = false
  #startedAt = 0
  #triedAt = 0

  constructor(path: PathContext, caller: Caller) {
    this.#path = path
    this.#caller = caller
    this.#countdown = new Countdown(path, () => this.#overdue())
    this.#held = new Held(path.memory)
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
    return this.#begun
  }

  /** Starts with what `out` holds of the request: its head, and what has come of its body. */
  open(service: Service, head: RequestHead, out: ByteWriter, opening: Opening): void {
    const { complete, key, stay, retry, upgrade, request, opened } = opening
    const now = request?.startedAt ?? this.#path.clock.now()
    this.#service = service
    this.method = head.method
    this.#minor = head.minor
    this.#persistent = head.persistent
    this.#complete = complete
    this.#held.replayable = isIdempotent(head.method)
    this.#tried = none
    this.#context = key === undefined ? undefined : { hashKey: key }
    this.#stay = stay
    this.#upgrade = upgrade
    this.#retries.begin(retry)
    this.#status = 0
    this.#begun = false
    this.#startedAt = now
    this.#triedAt = now
    this.#request = request
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

  /** More of the request's body. */
  more(out: ByteWriter, complete: boolean): void {
    this.#complete = complete
    const connection = this.#connection
    if (connection === undefined || !connection.isConnected) {
      this.#held.takeIn(out)
      if (this.#held.isFull(this.#path.settings.replayLimit)) this.#caller.holdRequest(true)
      return
    }
    if (out.length > 0) {
      this.#held.pass(out, connection, this.#path.settings.replayLimit)
      if (connection.congested) this.#caller.holdRequest(true)
    }
    if (complete) connection.awaitResponse()
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

  /** A request with a time of its own has all of it, unless there is one for each try. */
  get answerWithinMs(): Milliseconds {
    const most = this.#countdown.isRunning ? noDeadline : this.#path.settings.responseMs
    return Math.min(most, this.#retries.rules.perTryTimeoutMs)
  }

  get context(): PickContext | undefined {
    return this.#context
  }

  granted(endpoint: Endpoint): void {
    const service = this.#service
    if (service === undefined) return
    this.#place = undefined
    const now = this.#path.clock.now()
    service.metrics.queueSeconds += (now - this.#triedAt) / 1000
    this.#triedAt = now
    this.#use(service, endpoint, 'line')
  }

  waitedTooLong(): void {
    const service = this.#service
    if (service === undefined) return
    service.metrics.struck.queueTimeout++
    this.#giveUp(problems.queueTimeout)
  }

  /** Its time is over, and no answer has begun. */
  #overdue(): void {
    const service = this.#service
    if (service === undefined) return
    service.metrics.deadlineExceeded++
    const connection = this.#connection
    const share = this.#countdown.shareSince(this.#triedAt)
    this.#settle(this.#complete ? endOfOverdue(connection, share) : 'cancelled')
    connection?.destroy()
    this.#giveUp(problems.deadlineExceeded)
  }

  /** The client has left, or can't be read any further. */
  cancel(problem?: Problem): void {
    const service = this.#service
    if (service === undefined) return
    service.metrics.cancelled++
    service.stopWaiting(this)
    const connection = this.#connection
    this.#settle('cancelled')
    this.#reset(this.#begun ? this.#status : (problem?.status ?? 0), problem?.code ?? 'cancelled')
    connection?.destroy()
  }

  callerDrained(): void {
    this.#connection?.resume()
  }

  connected(): void {
    if (this.#connection !== undefined) this.#send(this.#connection)
  }

  drained(): void {
    this.#caller.holdRequest(false)
  }

  interim(bytes: Uint8Array, head: ResponseHead): void {
    // An HTTP/1.0 client does not know of 1xx (RFC 9110 section 15.2).
    if (this.#minor === 0) return
    writeResponseHead(bytes, head, '', true, this.#path.out)
    this.#caller.send(this.#path.out)
  }

  switched(bytes: Uint8Array, head: ResponseHead): Tunnel | undefined {
    const service = this.#service
    const connection = this.#connection
    const endpoint = this.#endpoint
    if (service === undefined || connection === undefined || endpoint === undefined) return undefined
    // Before the request's end its own bytes can't be told from the tunnel's.
    if (!this.#complete || this.#upgrade === undefined || !switchesTo(bytes, head, this.#upgrade))
      return undefined
    this.#request?.responded(head.status)
    const lines = answerLines(this.#request, this.#stay, endpoint, this.#tried)
    writeResponseHead(bytes, head, upgradeLines(this.#upgrade), false, this.#path.out, lines)
    this.#caller.send(this.#path.out)
    const now = this.#path.clock.now()
    service.metrics.answered(head.status, now - this.#startedAt)
    const { balancer, metrics } = service
    balancer.accepted(endpoint, now - this.#triedAt)
    const { socket, early } = this.#caller.handOver()
    const ends = { client: socket, early, instance: connection.handOver() }
    this.#letGo()
    this.#reset(head.status, undefined)
    return new Tunnel(this.#path, metrics, ends, () => balancer.cancelled(endpoint))
  }

  responded(bytes: Uint8Array, head: ResponseHead): BodyForm {
    const { status } = head
    if (this.#retries.turnsDown(status) && this.#triesElsewhere(status)) return 'content'
    this.#held.forget()
    this.#countdown.stop()
    this.#status = status
    const unchunked = this.#minor === 0 && head.framing === 'chunked'
    // Who says no before it has seen the whole request does not want the rest of it.
    const refusing = !this.#complete && status >= 400
    const ending = unchunked || head.framing === 'until-close' || refusing
    this.#closing = !this.#persistent || ending || this.#path.draining
    const request = this.#request
    request?.responded(status)
    const lines = answerLines(request, this.#stay, this.#endpoint, this.#tried)
    const field = connectionField(this.#closing, this.#minor)
    writeResponseHead(bytes, head, field, this.#minor === 0, this.#path.out, lines)
    return unchunked ? 'content' : 'wire'
  }

  span(bytes: Uint8Array, from: number, to: number): void {
    this.#path.out.span(bytes, from, to)
  }

  passOn(): void {
    this.#begun = true
    if (!this.#caller.send(this.#path.out)) this.#connection?.pause()
  }

  finished(reusable: boolean): void {
    const service = this.#service
    const pool = this.#pool
    const connection = this.#connection
    if (service === undefined || pool === undefined || connection === undefined) return
    this.#caller.send(this.#path.out)
    // An answer that came before the request's end leaves both connections in the middle of something.
    const close = this.#closing || !this.#complete
    const now = this.#path.clock.now()
    if (this.#endpoint !== undefined)
      judge(service.balancer, this.#endpoint, this.#status, now - this.#triedAt)
    this.#letGo()
    service.metrics.answered(this.#status, now - this.#startedAt)
    // Some servers (Node's) read nothing more behind an Upgrade that they have ignored.
    if (reusable && this.#complete && this.#upgrade === undefined) pool.release(connection)
    else connection.destroy()
    this.#reset(this.#status, undefined)
    this.#caller.exchangeDone(close)
  }

  failed(failure: Failure): void {
    const service = this.#service
    const connection = this.#connection
    const endpoint = this.#endpoint
    if (service === undefined || connection === undefined || endpoint === undefined) return
    const pool = this.#pool
    this.#path.out.length = 0
    this.#settle(endOf(failure, connection))
    this.#request?.tryFailed(failure)
    const written = connection.isConnected
    if (!written) service.metrics.connectErrors++
    if (this.#begun) {
      this.#reset(this.#status, 'cut')
      this.#caller.abort()
      return
    }
    // What closed one connection has most likely closed its idle siblings too.
    if (failure === 'lost' && !connection.answering) pool?.dropIdle()
    const failed = { endpoint, connection, failure }
    if (this.#retries.mayRetry(service, this.#path.clock.now(), failed, this.#held.replayable)) {
      this.#tried = [...this.#tried, endpoint]
      this.#status = 0
      this.#attempt(service, failed)
      return
    }
    if (failure === 'lost' && written && !isIdempotent(this.method)) service.metrics.unretried++
    this.#giveUp(problemOf[failure])
  }

  #attempt(service: Service, failed?: FailedTry): void {
    const { balancer, pools } = service
    if (failed !== undefined) this.#context = { ...this.#context, tried: this.#tried }
    const home = this.#stay?.take(balancer, pools.hasLine, failed)
    if (pools.hasLine) {
      this.#wait(service)
      return
    }
    const endpoint = home ?? balancer.pick(this.#context)
    if (endpoint === undefined) {
      this.#giveUp(problems.noInstance)
      return
    }
    if (failed !== undefined && this.#tried.includes(endpoint) && !failed.connection.reused) {
      // All that there are have just failed.
      balancer.cancelled(endpoint)
      this.#giveUp(problemOf[failed.failure])
      return
    }
    if (failed !== undefined) {
      service.metrics.retries++
      this.#triedAt = this.#path.clock.now()
    }
    if (balancer.panic) service.metrics.panicPicks++
    // Local outliers may bring it about and end it between two sets.
    if (balancer.panic !== service.metrics.panic) service.notePanic()
    this.#use(service, endpoint, home === undefined ? 'policy' : 'affinity')
  }

  /** Sends to an endpoint that is picked; when it is full to another one, or waits. */
  #use(service: Service, picked: Endpoint, by: PickedBy): void {
    const { balancer, pools } = service
    let endpoint: Endpoint | undefined = picked
    // What has failed once must not meet another connection that the instance is about to close.
    const fresh = this.#tried.length > 0 && this.#status === 0
    let pool = pools.of(picked)
    let connection = pool.take(this, fresh)
    if (connection === undefined) {
      service.metrics.struck.connections++
      endpoint = pools.elsewhere(picked, this.#context)
      if (endpoint !== undefined) {
        pool = pools.of(endpoint)
        connection = pool.take(this, fresh)
      }
    }
    if (endpoint === undefined || connection === undefined) {
      this.#wait(service)
      return
    }
    this.#endpoint = endpoint
    const request = this.#request
    request?.goesTo(endpoint, endpoint === picked ? by : 'room', balancer.panic)
    if (request?.amendment !== undefined) this.#held.amend(request.amendment)
    this.#pool = pool
    this.#connection = connection
    if (connection.isConnected) this.#send(connection)
    else this.#held.takeIn(this.#path.out)
  }

  #wait(service: Service): void {
    this.#held.takeIn(this.#path.out)
    this.#place = service.pools.wait(this)
    if (this.#place === undefined) {
      service.metrics.struck.pending++
      this.#giveUp(problems.tooManyPending)
      return
    }
    service.metrics.queued++
    this.#triedAt = this.#path.clock.now()
    if (this.#held.isFull(this.#path.settings.replayLimit)) this.#caller.holdRequest(true)
  }

  /** Asks somebody else and leaves the present answer, if there is anybody else and the request is still at hand. */
  #triesElsewhere(status: number): boolean {
    const service = this.#service
    const pool = this.#pool
    const connection = this.#connection
    const endpoint = this.#endpoint
    if (service === undefined || pool === undefined || connection === undefined || endpoint === undefined)
      return false
    if (!this.#complete || !this.#held.replayable || this.#upgrade !== undefined) return false
    const tried = [...this.#tried, endpoint]
    const context = { ...this.#context, tried }
    const now = this.#path.clock.now()
    const next = this.#retries.elsewhere(service, context, now)
    if (next === undefined) return false
    connection.leaveTo(new Discard(this.method, pool, connection))
    this.#request?.tryFailed(String(status))
    judge(service.balancer, endpoint, status, now - this.#triedAt)
    this.#tried = tried
    this.#context = context
    this.#status = status
    this.#triedAt = now
    this.#use(service, next, 'policy')
    return true
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

  #giveUp(problem: Problem): void {
    const service = this.#service
    this.#path.out.length = 0
    this.#settle('cancelled')
    service?.stopWaiting(this)
    service?.metrics.answered(problem.status, this.#path.clock.now() - this.#startedAt)
    this.#reset(problem.status, problem.code)
    this.#caller.answer(problem)
  }

  /** Ends the pick that is open, if there is one, other than well. */
  #settle(end: Trouble | 'cancelled'): void {
    if (this.#endpoint !== undefined && this.#service !== undefined)
      settle(this.#service.balancer, this.#endpoint, end)
    this.#letGo()
  }

  #letGo(): void {
    this.#endpoint = undefined
    this.#pool = undefined
    this.#connection = undefined
  }

  /** It is over: what the client was told, and why, where that is not an instance's whole answer. */
  #reset(status: number, code: string | undefined): void {
    const service = this.#service
    if (service !== undefined) {
      service.underWay -= 1
      if (this.#place !== undefined) service.pools.stopWaiting(this.#place)
    }
    this.#place = undefined
    this.#service = undefined
    this.#filtered = false
    this.#held.forget()
    this.#countdown.stop()
    const request = this.#request
    if (request === undefined) return
    this.#request = undefined
    request.ended({ status, code, ms: this.#path.clock.now() - this.#startedAt })
  }
}

const none: Endpoint[] = []
