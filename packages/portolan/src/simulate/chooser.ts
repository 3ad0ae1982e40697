import {
  type Clock,
  type Endpoint,
  type Instance,
  type InstanceSet,
  LocalBalancer,
  type Milliseconds,
  orderedById,
  type Policy,
  type Random,
} from '@portolan/core'
import type { Server } from './server.ts'

/** One pick: which server, and what to say when its request has ended. */
export interface Choice {
  readonly server: Server
  ended(how: 'success' | 'failure' | 'pushback' | 'refused' | 'timeout', ms: Milliseconds): void
}

/** Whoever decides which server gets a request. */
export interface Chooser {
  /** `tried`: servers that this request has been to. Undefined: there is nobody to pick. */
  pick(hashKey: string, tried: readonly Server[]): Choice | undefined
  /** The servers that it may pick from now on. */
  offer(servers: readonly Server[]): void
  /** Once a second. */
  sweep(): void
}

/** The balancer that gateway and library use, with a policy of its own. */
export class BalancerChooser implements Chooser {
  readonly #balancer: LocalBalancer
  readonly #byId = new Map<string, Server>()
  #revision = 0

  constructor(policy: Policy, random: Random, clock: Clock) {
    this.#balancer = new LocalBalancer({ policy, random, clock, outliers: {}, suspect() {} })
  }

  offer(servers: readonly Server[]): void {
    this.#byId.clear()
    for (const server of servers) this.#byId.set(server.plan.id, server)
    this.#balancer.update(setOf(servers, ++this.#revision))
  }

  pick(hashKey: string, tried: readonly Server[]): Choice | undefined {
    const balancer = this.#balancer
    const { nextRelease } = balancer
    if (nextRelease !== undefined) balancer.release()
    const endpoint = balancer.pick(
      tried.length === 0 ? { hashKey } : { hashKey, tried: this.#endpointsOf(tried) },
    )
    const server = endpoint === undefined ? undefined : this.#byId.get(endpoint.id)
    if (endpoint === undefined || server === undefined) return undefined
    return {
      server,
      ended(how, ms) {
        if (how === 'success') balancer.succeeded(endpoint, ms)
        else if (how === 'failure') balancer.failed(endpoint, 'response', 500)
        else if (how === 'pushback') balancer.pushedBack(endpoint)
        else balancer.failed(endpoint, how)
      },
    }
  }

  sweep(): void {
    this.#balancer.sweep()
  }

  #endpointsOf(tried: readonly Server[]): readonly Endpoint[] {
    return this.#balancer.endpoints.filter(({ id }) => tried.some(({ plan }) => plan.id === id))
  }
}

/**
 * Knows what no balancer can: each server's true mean service time at this moment and all that it has to do. Takes the
 * one where the request is expected to be answered first (least expected work), among equals any.
 */
export class Oracle implements Chooser {
  readonly #random: Random
  readonly #clock: Clock
  #servers: readonly Server[] = []
  readonly #onTheWay = new Map<Server, number>()

  constructor(random: Random, clock: Clock) {
    this.#random = random
    this.#clock = clock
  }

  offer(servers: readonly Server[]): void {
    this.#servers = servers
  }

  pick(_hashKey: string, tried: readonly Server[]): Choice | undefined {
    let best: Server | undefined
    let least = Number.POSITIVE_INFINITY
    const start = Math.floor(this.#random() * this.#servers.length)
    for (let step = 0; step < this.#servers.length; step++) {
      const server = this.#servers[(start + step) % this.#servers.length]
      if (server === undefined || tried.includes(server)) continue
      const expected = this.#expected(server)
      if (expected >= least) continue
      best = server
      least = expected
    }
    if (best === undefined) return undefined
    const server = best
    this.#onTheWay.set(server, this.#inFlight(server) + 1)
    return { server, ended: () => void this.#onTheWay.set(server, this.#inFlight(server) - 1) }
  }

  sweep(): void {}

  #inFlight(server: Server): number {
    return this.#onTheWay.get(server) ?? 0
  }

  /** Until the answer: its own service, after what is queued before it. */
  #expected(server: Server): Milliseconds {
    const now = this.#clock.now()
    const { workers, service, slowdown, failsIn } = server.plan
    if (!server.isUp(now) || failsIn?.(now) !== undefined) return Number.MAX_VALUE
    const queued = Math.max(0, this.#inFlight(server) + 1 - workers)
    return service.meanMs * (slowdown?.(now) ?? 1) * (1 + queued / workers)
  }
}

function setOf(servers: readonly Server[], revision: number): InstanceSet {
  return {
    namespace: 'default',
    service: 'simulated',
    cursor: { epoch: 'simulated', revision },
    instances: orderedById(servers.map(({ plan }) => instanceOf(plan.id))),
  }
}

function instanceOf(id: string): Instance {
  return {
    namespace: 'default',
    service: 'simulated',
    id,
    addresses: ['127.0.0.1'],
    ports: [{ name: 'http', number: 8080, protocol: 'http', tls: false }],
    weight: 1,
    tags: [],
    metadata: {},
    source: 'config',
    owner: 'simulate',
    incarnation: 1,
    causes: [],
  }
}
