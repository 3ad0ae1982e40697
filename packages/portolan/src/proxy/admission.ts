import type { Socket } from 'node:net'
import type { Hop, RequestHead } from './codec/codec.ts'
import { type Filter, RequestContext } from './filters/filter.ts'
import type { Passage } from './passages.ts'
import type { PathContext } from './path-context.ts'
import { type Problem, problems } from './problem.ts'
import type { Service } from './service.ts'

/** Decides which way a request goes: a passage to a service, or why there is none. */
export type RouteRequest = (bytes: Uint8Array, head: RequestHead, hop: Hop) => Passage | Problem

/**
 * Where each request of one client connection stands at the door: whether there is memory for it, which way it goes, and
 * what the filters on that way say of it.
 */
export class Admission {
  /** What filters see of the request that was admitted last; `undefined`: it has none to pass. */
  request: RequestContext | undefined
  /** Whether one of them has still to make up its mind. */
  isPending = false
  /** What is known of the client. */
  hop: Hop
  readonly #path: PathContext
  readonly #client: Socket
  readonly #route: RouteRequest
  /** Made by the first request that has any filters to pass, and used again. */
  #context: RequestContext | undefined

  constructor(path: PathContext, client: Socket, hop: Hop, route: RouteRequest) {
    this.#path = path
    this.#client = client
    this.hop = hop
    this.#route = route
  }

  /** The way of a request, or what it is answered at once. */
  admit(bytes: Uint8Array, head: RequestHead, hasBody: boolean): Passage | Problem {
    this.request = undefined
    this.isPending = false
    const passage = this.#wayOf(bytes, head, hasBody)
    if ('status' in passage) {
      this.#path.accessLog.unrouted(passage, this.hop, bytes, head)
      return passage
    }
    const filters = head.tellsTimeout && this.hop.trusted ? passage.timedFilters : passage.filters
    if (filters.length === 0) return passage
    return this.#filter(bytes, head, filters, passage.service) ?? passage
  }

  #wayOf(bytes: Uint8Array, head: RequestHead, hasBody: boolean): Passage | Problem {
    const { memory, metrics } = this.#path
    if (memory.isShort && (hasBody || memory.isExhausted)) {
      metrics.struck.memory++
      return problems.overloaded
    }
    return this.#route(bytes, head, this.hop)
  }

  /** What a filter answers it. */
  #filter(
    bytes: Uint8Array,
    head: RequestHead,
    filters: readonly Filter[],
    service: Service,
  ): Problem | undefined {
    this.#context ??= new RequestContext(this.#client)
    const request = this.#context
    request.begin(bytes, head, this.hop, filters, this.#path.clock.now())
    const verdict = request.pass()
    if (verdict === undefined || verdict === 'later') {
      this.request = request
      this.isPending = verdict === 'later'
      return undefined
    }
    const ms = this.#path.clock.now() - request.startedAt
    service.metrics.answered(verdict.status, ms)
    request.ended({ status: verdict.status, code: verdict.code, ms })
    return verdict
  }
}
