import type { Milliseconds, Random } from '@portolan/core'
import type { Choice, Chooser } from './chooser.ts'
import type { Measures } from './measures.ts'
import type { Server, Waiting } from './server.ts'
import type { Happening, VirtualTime } from './virtual-time.ts'

/** What those who send requests put up with. */
export interface ClientPlan {
  /** Until an attempt is given up; the server goes on with it all the same. Default: never. */
  readonly timeoutMs?: Milliseconds
  /** Further attempts of a request whose last one failed, elsewhere. Default 0. */
  readonly retries?: number
  /** Retries may be so many of all attempts of the last ten seconds, and ten. Default 0.2. */
  readonly retryShare?: number
  /** Each request carries one of so many keys, all equally likely, for the policies that hash. Default 10,000. */
  readonly keys?: number
  /** Between client and server, each way. Default 0.25 ms. */
  readonly networkMs?: Milliseconds
}

export interface TrafficParts {
  readonly time: VirtualTime
  readonly random: Random
  /** Dice for the keys alone: the rest is the same with and without them. */
  readonly keyRandom: Random
  /** Requests go to any of them: each is a balancer of its own. */
  readonly choosers: readonly Chooser[]
  readonly measures: Measures
  readonly client: ClientPlan
}

/** Sends requests and follows each to its end. */
export class Traffic {
  readonly #parts: TrafficParts
  readonly #open = new Set<Request>()

  constructor(parts: TrafficParts) {
    this.#parts = parts
  }

  /** One request comes, now. */
  send(now: Milliseconds): void {
    const { choosers, random } = this.#parts
    const chooser = choosers.length === 1 ? choosers[0] : choosers[Math.floor(random() * choosers.length)]
    if (chooser === undefined) throw new Error('a simulation needs a balancer')
    const { client, keyRandom } = this.#parts
    const key = `user-${Math.floor(keyRandom() * (client.keys ?? defaultKeys))}`
    const request = new Request(this.#parts, { chooser, key, from: now }, () => this.#open.delete(request))
    this.#open.add(request)
    request.attempt(now)
  }

  /** What has no answer yet counts with the time that it has waited. */
  end(now: Milliseconds): void {
    for (const request of this.#open) request.giveUp(now)
    this.#open.clear()
  }
}

interface Asked {
  readonly chooser: Chooser
  readonly key: string
  readonly from: Milliseconds
}

class Request {
  readonly parts: TrafficParts
  readonly #asked: Asked
  readonly #over: () => void
  readonly #tried: Server[] = []
  #isOver = false

  constructor(parts: TrafficParts, asked: Asked, over: () => void) {
    this.parts = parts
    this.#asked = asked
    this.#over = over
  }

  attempt(now: Milliseconds): void {
    const { chooser, key } = this.#asked
    const choice = chooser.pick(key, this.#tried)
    this.parts.measures.attempted(now, this.#tried.length > 0, choice?.server)
    if (choice === undefined) {
      this.#end(false, now)
      return
    }
    this.#tried.push(choice.server)
    const attempt = new Attempt(this, choice, now)
    const { time, client } = this.parts
    time.plan(now + (client.networkMs ?? defaultNetworkMs), attempt)
    if (client.timeoutMs !== undefined) time.plan(now + client.timeoutMs, new Late(attempt))
  }

  ended(how: Ending, now: Milliseconds): void {
    const { client, measures } = this.parts
    if (how === 'success') this.#end(true, now)
    else if (
      this.#tried.length <= (client.retries ?? 0) &&
      measures.mayRetry(client.retryShare ?? 0.2, now)
    ) {
      this.attempt(now)
    } else this.#end(false, now)
  }

  giveUp(now: Milliseconds): void {
    if (!this.#isOver) this.parts.measures.ended(this.#asked.from, now, 'waiting')
    this.#isOver = true
  }

  #end(ok: boolean, now: Milliseconds): void {
    if (this.#isOver) return
    this.#isOver = true
    this.parts.measures.ended(this.#asked.from, now, ok ? 'ok' : 'failed')
    this.#over()
  }
}

type Ending = 'success' | 'failure' | 'pushback' | 'refused' | 'timeout'

const defaultNetworkMs: Milliseconds = 0.25
const defaultKeys = 10_000

/** One way to a server and back. */
class Attempt implements Happening, Waiting {
  readonly #request: Request
  readonly #choice: Choice
  readonly #from: Milliseconds
  #answer: Ending | undefined
  #isOver = false

  constructor(request: Request, choice: Choice, from: Milliseconds) {
    this.#request = request
    this.#choice = choice
    this.#from = from
  }

  /** At the server, and then at home again. */
  happen(now: Milliseconds): void {
    if (this.#answer === undefined) this.#choice.server.take(this, now)
    else this.#end(this.#answer, now)
  }

  answered(how: Exclude<Ending, 'timeout'>, now: Milliseconds): void {
    const { time, client } = this.#request.parts
    this.#answer = how
    time.plan(now + (client.networkMs ?? defaultNetworkMs), this)
  }

  late(now: Milliseconds): void {
    this.#end('timeout', now)
  }

  #end(how: Ending, now: Milliseconds): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#choice.ended(how, now - this.#from)
    this.#request.ended(how, now)
  }
}

/** An attempt's time is over, if it is not over itself. */
class Late implements Happening {
  readonly #attempt: Attempt

  constructor(attempt: Attempt) {
    this.#attempt = attempt
  }

  happen(now: Milliseconds): void {
    this.#attempt.late(now)
  }
}
