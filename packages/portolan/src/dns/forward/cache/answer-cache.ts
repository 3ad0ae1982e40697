import type { Clock, Milliseconds } from '@portolan/core'
import type { Aging, KeptAnswer } from '../message/kept-answer.ts'
import type { Verdict } from './lifetime.ts'

/** RFC 8767 section 5: one to three days; what a fleet's names meant an hour ago is no help any more. */
const staleForMs: Milliseconds = 3_600_000
/** RFC 8767 section 4. */
const staleTtlSeconds = 30
/** While nobody answers, whoever asks for what there is a stale answer to gets that at once, and so often one asks on. */
const recheckMs: Milliseconds = 5000
/** What an entry costs besides its answer and its key: measured, and rounded up. */
const overheadBytes = 600
/** A cache of so many answers may hold so many bytes of them each. */
const bytesEach = 1024

export interface CacheHit {
  readonly answer: KeptAnswer
  readonly aging: Aging
  /**
   * `fresh`: it is good. `ripe`: it is good, and still asked for in the last tenth of its time: ask for it anew.
   * `stale`: its time is over, and nobody answered a moment ago. `fallback`: its time is over; better than nothing.
   */
  readonly state: 'fresh' | 'ripe' | 'stale' | 'fallback'
}

interface Entry {
  readonly answer: KeptAnswer
  readonly bornAt: Milliseconds
  readonly freshUntil: Milliseconds
  readonly usableUntil: Milliseconds
  readonly bytes: number
  /** Nobody is asked anew before. */
  recheckAt: Milliseconds
}

/** The answers of others by what was asked, those used last kept longest. Bounded in number and in bytes. */
export class AnswerCache {
  readonly #clock: Clock
  readonly #most: number
  readonly #mostBytes: number
  /** From the one used longest ago to the one used last. */
  readonly #entries = new Map<string, Entry>()
  #bytes = 0

  /** @param most answers; 0 = nothing is kept */
  constructor(most: number, clock: Clock) {
    this.#most = most
    this.#mostBytes = most * bytesEach
    this.#clock = clock
  }

  get size(): number {
    return this.#entries.size
  }

  get bytes(): number {
    return this.#bytes
  }

  get(key: string): CacheHit | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    const now = this.#clock.now()
    if (now >= entry.usableUntil) {
      this.#drop(key, entry)
      return undefined
    }
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    return hit(entry, now)
  }

  /** Keeps it for as long as it is good, and an hour longer for want of a better one. */
  put(key: string, answer: KeptAnswer, { kind, seconds }: Verdict): void {
    if (kind === 'failure') {
      this.#putFailure(key, answer, seconds)
      return
    }
    const before = this.#entries.get(key)
    if (before !== undefined) this.#drop(key, before)
    if (seconds > 0 && kind !== 'other') this.#add(key, answer, seconds * 1000, staleForMs)
  }

  /** The next ones who ask get the stale answer at once: its upstreams are slow, or gone. */
  postpone(key: string): void {
    const entry = this.#entries.get(key)
    if (entry !== undefined) entry.recheckAt = this.#clock.now() + recheckMs
  }

  /** A stale answer is worth more than the news that there is none. */
  #putFailure(key: string, answer: KeptAnswer, seconds: number): void {
    const before = this.#entries.get(key)
    const now = this.#clock.now()
    if (before !== undefined && now < before.usableUntil) this.postpone(key)
    else this.#add(key, answer, seconds * 1000, 0)
  }

  #add(key: string, answer: KeptAnswer, freshMs: Milliseconds, staleMs: Milliseconds): void {
    const before = this.#entries.get(key)
    if (before !== undefined) this.#drop(key, before)
    const bytes = answer.body.length + 8 * answer.ttlsAt.length + key.length + overheadBytes
    if (this.#most === 0 || bytes > this.#mostBytes) return
    const now = this.#clock.now()
    const freshUntil = now + freshMs
    const usableUntil = freshUntil + staleMs
    this.#entries.set(key, { answer, bornAt: now, freshUntil, usableUntil, bytes, recheckAt: 0 })
    this.#bytes += bytes
    for (const [oldest, entry] of this.#entries) {
      if (this.#entries.size <= this.#most && this.#bytes <= this.#mostBytes) break
      this.#drop(oldest, entry)
    }
  }

  #drop(key: string, entry: Entry): void {
    this.#entries.delete(key)
    this.#bytes -= entry.bytes
  }
}

function hit({ answer, bornAt, freshUntil, usableUntil, recheckAt }: Entry, now: Milliseconds): CacheHit {
  if (now >= freshUntil) {
    const state = now < recheckAt ? 'stale' : 'fallback'
    return { answer, aging: { leftSeconds: staleTtlSeconds }, state }
  }
  const aging = { goneSeconds: Math.floor((now - bornAt) / 1000) }
  // A failure is remembered so that nobody is asked for a while (RFC 9520).
  const isFailure = usableUntil === freshUntil
  const isRipe = !isFailure && now >= freshUntil - (freshUntil - bornAt) / 10 && now >= recheckAt
  return { answer, aging, state: isRipe ? 'ripe' : 'fresh' }
}
