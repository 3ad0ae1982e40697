import type { Milliseconds, Random } from '@portolan/core'
import type { Distribution } from './distributions.ts'
import type { Happening, VirtualTime } from './virtual-time.ts'

/** A server as a scenario describes it. */
export interface ServerPlan {
  readonly id: string
  /** Requests that it works on at the same time; the others queue, first come, first served. */
  readonly workers: number
  readonly service: Distribution
  /** What service times are multiplied by, by the moment at which service begins. Default 1. */
  readonly slowdown?: (now: Milliseconds) => number
  /** While this answers a number of milliseconds, requests fail after as many, whatever the queue. */
  readonly failsIn?: (now: Milliseconds) => Milliseconds | undefined
  /** What such an answer is: a failure (500), or that it has too much to do (429). Default: a failure. */
  readonly failsWith?: 'failure' | 'pushback'
  /** It serves from here, … */
  readonly startsAt?: Milliseconds
  /** … and dies here, with all that it has begun. */
  readonly diesAt?: Milliseconds
}

/** What waits for the answer of a server. */
export interface Waiting {
  /** `refused`: nobody listens there. */
  answered(how: 'success' | 'failure' | 'pushback' | 'refused', now: Milliseconds): void
}

/** Workers behind one queue, in virtual time. */
export class Server {
  readonly plan: ServerPlan
  readonly #time: VirtualTime
  readonly #random: Random
  readonly #queue: Waiting[] = []
  /** Where the queue begins: what is before has been served. */
  #head = 0
  readonly #working = new Set<Work>()
  #busyMs: Milliseconds = 0

  constructor(plan: ServerPlan, time: VirtualTime, random: Random) {
    this.plan = plan
    this.#time = time
    this.#random = random
    if (plan.diesAt !== undefined) time.plan(plan.diesAt, { happen: now => this.#die(now) })
  }

  isUp(now: Milliseconds): boolean {
    const { startsAt = 0, diesAt = Number.POSITIVE_INFINITY } = this.plan
    return now >= startsAt && now < diesAt
  }

  /** Requests that it has and has not answered. */
  get load(): number {
    return this.#working.size + this.#queue.length - this.#head
  }

  /** Worker-milliseconds of service so far. */
  get busyMs(): Milliseconds {
    return this.#busyMs
  }

  take(request: Waiting, now: Milliseconds): void {
    if (!this.isUp(now)) {
      request.answered('refused', now)
      return
    }
    const failsIn = this.plan.failsIn?.(now)
    if (failsIn !== undefined) {
      const { failsWith = 'failure' } = this.plan
      this.#time.plan(now + failsIn, { happen: at => request.answered(failsWith, at) })
      return
    }
    if (this.#working.size < this.plan.workers) this.#begin(request, now)
    else this.#queue.push(request)
  }

  #begin(request: Waiting, now: Milliseconds): void {
    const factor = this.plan.slowdown?.(now) ?? 1
    const ms = this.plan.service.sample(this.#random) * factor
    const work = new Work(request, ms, done => this.#end(done))
    this.#working.add(work)
    this.#time.plan(now + ms, work)
  }

  #end(work: Work): void {
    if (!this.#working.delete(work)) return
    this.#busyMs += work.ms
    const now = this.#time.now()
    const next = this.#queue[this.#head]
    if (next !== undefined) {
      this.#head++
      this.#begin(next, now)
      if (this.#head > 1024 && 2 * this.#head > this.#queue.length) {
        this.#queue.splice(0, this.#head)
        this.#head = 0
      }
    }
    work.request.answered('success', now)
  }

  #die(now: Milliseconds): void {
    const lost = [...[...this.#working].map(({ request }) => request), ...this.#queue.slice(this.#head)]
    this.#working.clear()
    this.#queue.length = 0
    this.#head = 0
    for (const request of lost) request.answered('failure', now)
  }
}

/** One request under a worker's hands. */
class Work implements Happening {
  readonly request: Waiting
  readonly ms: Milliseconds
  readonly #over: (work: Work) => void

  constructor(request: Waiting, ms: Milliseconds, over: (work: Work) => void) {
    this.request = request
    this.ms = ms
    this.#over = over
  }

  happen(): void {
    this.#over(this)
  }
}
