import type { Clock, Milliseconds } from '@portolan/core'
import type { Log } from '../../observe/log.ts'
import { rcodes } from '../codec/codes.ts'
import type { Query } from '../codec/query.ts'
import type { AnswerCache, CacheHit } from './cache/answer-cache.ts'
import { failureSeconds, longestSeconds } from './cache/lifetime.ts'
import type { ForwardCounts, Result } from './counts.ts'
import type { Forwarder } from './forwarder.ts'
import { localAnswer, writeLocal } from './local/local-answer.ts'
import type { LocalRules } from './local/special.ts'
import { isWithin } from './local/zones.ts'
import { bareAnswer, fresh, type KeptAnswer, keepAnswer, replyTo } from './message/kept-answer.ts'
import type { Question } from './message/question-writing.ts'
import type { ForwardMetrics } from './metrics.ts'
import type { Cancel, Timers } from './timers.ts'
import type { Exchange } from './upstream/exchange.ts'
import { Resolution, type Resolved } from './upstream/resolution.ts'
import type { Upstream } from './upstream/upstreams.ts'

/** So many different questions may be under way: each has two ports at most, and others need descriptors, too. */
const mostFlights = 2048
/** So many may wait for their answers. */
const mostWaiting = 16_384
/** RFC 8767 section 5: who has waited for so long gets a stale answer; the fresh one is for those who come later. */
const staleAfterMs: Milliseconds = 1800
/** Trouble of ours is told once in so long: every question may meet it. */
const logEveryMs: Milliseconds = 10_000

export interface ForwarderParts {
  readonly upstreams: readonly Upstream[]
  readonly exchange: Exchange
  readonly cache: AnswerCache
  readonly counts: ForwardCounts
  readonly shown: ForwardMetrics
  readonly clock: Clock
  readonly timers: Timers
  readonly timeoutMs: Milliseconds
  /** Seconds that reverse names that end here may be denied for. */
  readonly negativeTtl: number
  readonly log: Log
}

interface Waiter {
  readonly query: Query
  readonly since: Milliseconds
  readonly resolve: (reply: Buffer) => void
}

/** One question that is under way, whoever and however many want its answer; none, where it is asked ahead. */
interface Flight {
  readonly key: string
  readonly question: Question
  waiters: Waiter[]
  /** What there is for want of a better answer. */
  fallback: CacheHit | undefined
  stopPatience: Cancel | undefined
}

/** Answers from the cache, and asks the upstreams once for all who want the same. */
export class UpstreamForwarder implements Forwarder {
  readonly #parts: ForwarderParts
  readonly #flights = new Map<string, Flight>()
  /** Whatever has ports open: flights, and trials that outlived theirs. */
  readonly #running = new Set<Resolution>()
  readonly #local: LocalRules
  #waiting = 0
  #toldAt = Number.NEGATIVE_INFINITY
  /** Questions that were not forwarded and not told of. */
  #unsaid = 0
  #isClosed = false

  constructor(parts: ForwarderParts) {
    this.#parts = parts
    // Resolvers outside would not know names of private networks, and should not hear of them.
    const privateToo = !parts.upstreams.some(({ address }) => isWithin(address))
    this.#local = { privateToo, negativeTtl: parts.negativeTtl }
    parts.shown.underWay(() => this.#flights.size)
  }

  ask(query: Query): Promise<Buffer> {
    try {
      return this.#ask(query)
    } catch (thrown) {
      this.#complain(thrown)
      return Promise.resolve(this.#bare(query, rcodes.SERVFAIL, 'failed'))
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const running of [...this.#running]) running.abandon()
    for (const flight of [...this.#flights.values()]) this.#land(flight, undefined)
  }

  #ask(query: Query): Promise<Buffer> {
    const { cache, upstreams } = this.#parts
    if (this.#isClosed) return Promise.resolve(this.#bare(query, rcodes.SERVFAIL, 'failed'))
    if (upstreams.length === 0) return Promise.resolve(this.#bare(query, rcodes.REFUSED, 'refused'))
    const local = localAnswer(query, this.#local)
    if (local !== undefined) {
      this.#count(local.rcode === 'REFUSED' ? 'refused' : 'local')
      return Promise.resolve(writeLocal(query, local))
    }
    const key = keyOf(query)
    const hit = cache.get(key)
    if (hit === undefined || hit.state === 'fallback') return this.#join(key, query, hit)
    if (hit.state === 'ripe') this.#prefetch(key, query)
    return Promise.resolve(this.#replyFrom(query, hit))
  }

  #join(key: string, query: Query, fallback: CacheHit | undefined): Promise<Buffer> {
    const flight =
      this.#waiting < mostWaiting ? (this.#flights.get(key) ?? this.#begin(key, query)) : undefined
    if (flight === undefined) {
      if (fallback !== undefined) return Promise.resolve(this.#replyFrom(query, fallback))
      return Promise.resolve(this.#bare(query, rcodes.SERVFAIL, 'overloaded'))
    }
    if (fallback !== undefined && flight.fallback === undefined) this.#lookOut(flight, fallback)
    const since = this.#parts.clock.now()
    this.#waiting++
    // The question's bytes are part of a message that will be gone.
    const kept = { ...query, question: Uint8Array.from(query.question) }
    return new Promise(resolve => flight.waiters.push({ query: kept, since, resolve }))
  }

  #prefetch(key: string, query: Query): void {
    if (this.#flights.size >= mostFlights / 2 || this.#flights.has(key)) return
    this.#parts.counts.prefetched++
    this.#begin(key, query)
  }

  #begin(key: string, query: Query): Flight | undefined {
    if (this.#flights.size >= mostFlights) return undefined
    const question: Question = {
      type: query.type,
      bytes: Uint8Array.from(query.question),
      dnssecOk: query.edns?.dnssecOk === true,
      checkingDisabled: query.checkingDisabled,
    }
    const flight: Flight = { key, question, waiters: [], fallback: undefined, stopPatience: undefined }
    const resolution = new Resolution(this.#parts, question, {
      settle: resolved => this.#land(flight, resolved),
      closed: () => this.#running.delete(resolution),
    })
    this.#flights.set(key, flight)
    this.#running.add(resolution)
    return flight
  }

  /** Serves the stale answer to those who have waited for long enough; the flight goes on. */
  #lookOut(flight: Flight, fallback: CacheHit): void {
    flight.fallback = fallback
    flight.stopPatience = this.#parts.timers.after(staleAfterMs, () => {
      this.#parts.cache.postpone(flight.key)
      this.#tell(flight, ({ query }) => this.#replyFrom(query, fallback))
    })
  }

  #land(flight: Flight, resolved: Resolved | undefined): void {
    flight.stopPatience?.()
    if (this.#flights.get(flight.key) === flight) this.#flights.delete(flight.key)
    const kept = this.#keep(flight, resolved)
    const { fallback } = flight
    this.#tell(flight, ({ query }) => {
      if (resolved !== undefined) return this.#reply(query, kept, 'upstream')
      return fallback === undefined ? this.#reply(query, kept, 'failed') : this.#replyFrom(query, fallback)
    })
  }

  #keep({ key, question }: Flight, resolved: Resolved | undefined): KeptAnswer {
    const { cache } = this.#parts
    if (resolved === undefined) {
      const failure = bareAnswer(question.bytes, rcodes.SERVFAIL)
      cache.put(key, failure, { kind: 'failure', seconds: failureSeconds })
      return failure
    }
    const { answer, verdict } = resolved
    const kept = keepAnswer(answer, verdict.kind === 'negative' ? verdict.seconds : longestSeconds)
    cache.put(key, kept, verdict)
    return kept
  }

  #tell(flight: Flight, replyFor: (waiter: Waiter) => Buffer): void {
    const { waiters } = flight
    flight.waiters = []
    this.#waiting -= waiters.length
    const now = this.#parts.clock.now()
    for (const waiter of waiters) {
      this.#parts.shown.waited((now - waiter.since) / 1000)
      waiter.resolve(replyFor(waiter))
    }
  }

  #replyFrom(query: Query, { answer, aging, state }: CacheHit): Buffer {
    this.#count(state === 'fresh' || state === 'ripe' ? 'cache' : 'stale')
    return replyTo(query, answer, aging)
  }

  #bare(query: Query, rcode: number, result: Result): Buffer {
    return this.#reply(query, bareAnswer(query.question, rcode), result)
  }

  #reply(query: Query, answer: KeptAnswer, result: Result): Buffer {
    this.#count(result)
    return replyTo(query, answer, fresh)
  }

  #complain(thrown: unknown): void {
    const { clock, log } = this.#parts
    const now = clock.now()
    if (now - this.#toldAt < logEveryMs) {
      this.#unsaid++
      return
    }
    log.error({ event: 'forward-failed', err: thrown, unsaid: this.#unsaid }, 'a question was not forwarded')
    this.#toldAt = now
    this.#unsaid = 0
  }

  #count(result: Result): void {
    this.#parts.counts.results[result]++
  }
}

/** All that an answer depends on; the class is IN. */
function keyOf({ name, type, checkingDisabled, edns }: Query): string {
  return `${edns?.dnssecOk === true ? 'd' : ''}${checkingDisabled ? 'c' : ''}${type} ${name}`
}
