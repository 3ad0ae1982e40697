import type { Clock, Endpoint, LocalBalancer, Milliseconds, PickContext, Trouble } from '@portolan/core'
import type { Opening } from './caller.ts'
import { Discard } from './discard.ts'
import { endOf, type FailedTry, judge, problemAfter, settle } from './failures.ts'
import type { PickedBy, RequestContext } from './filters/filter.ts'
import type { Place } from './pool/line.ts'
import type { Pool } from './pool/pool.ts'
import type { Waiter } from './pool/pools.ts'
import { type Problem, problems } from './problem.ts'
import type { Failure, ResponseReceiver } from './response-receiver.ts'
import { Retries } from './retries.ts'
import type { Service } from './service.ts'
import { answerLines, type Stay } from './sticky/stay.ts'
import type { UpstreamConnection } from './upstream-connection.ts'

const none: readonly Endpoint[] = []

/**
 * The tries of one request, one after the other: which instance it is at, over which connection, or where it stands in line
 * for one; and who has failed it. Whoever begins a try here ends it here, and the balancer hears how. One is kept per
 * exchange and used again.
 */
export class Attempts {
  /** Where the present try is; `undefined` between tries, and in line. */
  endpoint: Endpoint | undefined
  connection: UpstreamConnection | undefined
  /** When it began, or the wait in line for it; the first one begins with the request. */
  startedAt: Milliseconds = 0
  /** What picks go by. */
  context: PickContext | undefined
  readonly #receiver: ResponseReceiver & Waiter
  readonly #clock: Clock
  readonly #retries = new Retries()
  #pool: Pool | undefined
  #place: Place<Waiter> | undefined
  #stay: Stay | undefined
  #request: RequestContext | undefined
  /** Instances that have failed it, the last one last. */
  #failed: readonly Endpoint[] = none
  /** What was lost must not meet another connection that the instance is about to close. */
  #fresh = false

  /** @param receiver who asks: for a connection, and for the answer on it */
  constructor(receiver: ResponseReceiver & Waiter, clock: Clock) {
    this.#receiver = receiver
    this.#clock = clock
  }

  begin({ key, retry, stay, request }: Opening, now: Milliseconds): void {
    this.startedAt = now
    this.context = key === undefined ? undefined : { hashKey: key }
    this.#retries.begin(retry)
    this.#stay = stay
    this.#request = request
    this.#failed = none
    this.#fresh = false
  }

  /** How long one of them may wait for its answer. */
  get timeoutMs(): Milliseconds {
    return this.#retries.rules.perTryTimeoutMs
  }

  /** What the client gets with the answer beside the instance's own fields. */
  get answerLines(): string {
    return answerLines(this.#request, this.#stay, this.endpoint, this.#failed)
  }

  /**
   * Picks an instance and takes a connection to it, or a place in line. Returns why there is neither.
   * @param failed the try before this one
   */
  next(service: Service, failed?: FailedTry): Problem | undefined {
    const { balancer, metrics, pools } = service
    const home = this.#stay?.take(balancer, pools.hasLine, failed)
    if (pools.hasLine) return this.#wait(service)
    const endpoint = home ?? balancer.pick(this.context)
    if (endpoint === undefined) return problems.noInstance
    if (failed !== undefined) {
      if (this.#failed.includes(endpoint) && !failed.connection.reused) {
        // All that there are have just failed.
        balancer.cancelled(endpoint)
        return problemAfter(failed)
      }
      metrics.retries++
      this.startedAt = this.#clock.now()
    }
    if (balancer.panic) metrics.panicPicks++
    // Local outliers may bring it about and end it between two sets.
    if (balancer.panic !== metrics.panic) service.notePanic()
    return this.use(service, endpoint, home === undefined ? 'policy' : 'affinity')
  }

  /** Its turn in line has come: that instance is picked for it. */
  granted(service: Service, endpoint: Endpoint): Problem | undefined {
    this.#place = undefined
    const now = this.#clock.now()
    service.metrics.queueSeconds += (now - this.startedAt) / 1000
    this.startedAt = now
    return this.use(service, endpoint, 'line')
  }

  /** Takes a connection to an instance that is picked; when it is full to another one, or a place in line. */
  use(service: Service, picked: Endpoint, by: PickedBy): Problem | undefined {
    const { balancer, metrics, pools } = service
    let endpoint: Endpoint | undefined = picked
    if (!this.#connect(service, picked)) {
      metrics.struck.connections++
      endpoint = pools.elsewhere(picked, this.context)
      if (endpoint === undefined || !this.#connect(service, endpoint)) return this.#wait(service)
    }
    this.#request?.goesTo(endpoint, endpoint === picked ? by : 'room', balancer.panic)
    return undefined
  }

  /** False: that instance is full. */
  #connect({ pools }: Service, endpoint: Endpoint): boolean {
    const pool = pools.of(endpoint)
    const connection = pool.take(this.#receiver, this.#fresh)
    if (connection === undefined) return false
    this.endpoint = endpoint
    this.#pool = pool
    this.connection = connection
    return true
  }

  #wait({ metrics, pools }: Service): Problem | undefined {
    const now = this.#clock.now()
    this.#place = pools.wait(this.#receiver, now)
    if (this.#place === undefined) {
      metrics.struck.pending++
      return problems.tooManyPending
    }
    metrics.queued++
    this.startedAt = now
    return undefined
  }

  /** Leaves the line, if it stands there. */
  leaveLine({ pools }: Service): void {
    if (this.#place !== undefined) pools.stopWaiting(this.#place)
    this.#place = undefined
  }

  /** The whole answer has come. */
  answered(balancer: LocalBalancer, status: number, now: Milliseconds, reusable: boolean): void {
    const { endpoint, connection } = this
    const pool = this.#pool
    if (endpoint === undefined || connection === undefined || pool === undefined) return
    judge(balancer, endpoint, status, now - this.startedAt)
    this.#letGo()
    if (reusable) pool.release(connection)
    else connection.destroy()
  }

  /** A 101 has come. The pick stays open until the returned function is called; the connection is the tunnel's. */
  accepted(balancer: LocalBalancer, now: Milliseconds): () => void {
    const { endpoint } = this
    this.#letGo()
    if (endpoint === undefined) return () => {}
    balancer.accepted(endpoint, now - this.startedAt)
    return () => balancer.cancelled(endpoint)
  }

  /** Whether the rules want another try after such an answer. */
  turnsDown(status: number): boolean {
    return this.#retries.turnsDown(status)
  }

  /** Leaves the present answer to nobody, and returns who is picked in its place: `undefined`, and it counts after all. */
  turnDown(service: Service, status: number): Endpoint | undefined {
    const { endpoint, connection } = this
    const pool = this.#pool
    if (endpoint === undefined || connection === undefined || pool === undefined) return undefined
    const failed = [...this.#failed, endpoint]
    const context = { ...this.context, tried: failed }
    const now = this.#clock.now()
    const next = this.#retries.elsewhere(service, context, now)
    if (next === undefined) return undefined
    connection.leaveTo(new Discard(this.#receiver.method, pool, connection))
    this.#request?.tryFailed(String(status))
    judge(service.balancer, endpoint, status, now - this.startedAt)
    this.#letGo()
    this.startedAt = now
    this.context = context
    this.#failed = failed
    this.#fresh = false
    return next
  }

  /** It has brought no answer. `undefined`: there was none to fail. */
  failed({ balancer }: Service, failure: Failure): FailedTry | undefined {
    const { endpoint, connection } = this
    if (endpoint === undefined || connection === undefined) return undefined
    const pool = this.#pool
    this.settle(balancer, endOf(failure, connection))
    // What closed one connection has most likely closed its idle siblings too.
    if (failure === 'lost' && !connection.answering) pool?.dropIdle()
    this.#request?.tryFailed(failure)
    return { endpoint, connection, failure }
  }

  /** Whether there may be another one, elsewhere if there is anybody else. */
  mayRetry(service: Service, failed: FailedTry, replayable: boolean): boolean {
    if (!this.#retries.mayRetry(service, this.#clock.now(), failed, replayable)) return false
    this.#failed = [...this.#failed, failed.endpoint]
    this.context = { ...this.context, tried: this.#failed }
    this.#fresh = true
    return true
  }

  /** Ends the pick that is open, if there is one, other than well. */
  settle(balancer: LocalBalancer, end: Trouble | 'cancelled'): void {
    if (this.endpoint !== undefined) settle(balancer, this.endpoint, end)
    this.#letGo()
  }

  #letGo(): void {
    this.endpoint = undefined
    this.#pool = undefined
    this.connection = undefined
  }
}
