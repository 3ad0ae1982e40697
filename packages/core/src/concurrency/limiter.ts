import type { Milliseconds, Random } from '../time/clock.ts'

/** Between which numbers a limit moves, and how much longer than without load answers may take. */
export interface ConcurrencySettings {
  /** Requests that may always be under way. Default 5. */
  readonly min: number
  /** Default 10,000. */
  readonly max: number
  /** By so much longer than without load, as a factor, answers may take before the limit sinks. Default 1.5. */
  readonly tolerance: number
}

export const concurrencyDefaults: ConcurrencySettings = { min: 5, max: 10_000, tolerance: 1.5 }

const initialLimit = 20
/** A window is over after so long, and so many answers. */
const windowMs: Milliseconds = 100
const enoughAnswers = 10
/** With fewer than this share of the limit under way, nobody waits for anybody: answers take as long as they take. */
const idleShare = 0.5
/** If it never came to that, the limit is halved for a moment so often, to see how long answers take then. */
const probeEveryMs: Milliseconds = 30_000
const smoothing = 0.5
const steepest = 0.5

/**
 * How many requests may be under way to a service, found out by how long answers take: where more only makes them take
 * longer, the service has as many as it can do. After the gradient limit of Netflix's concurrency-limits and Envoy's
 * adaptive concurrency filter: each window, `limit × clamp(tolerance × latency without load / latency) + √limit`, half of the way.
 *
 * The latency without load is what windows show in which little was under way. A service that is never idle is asked: every
 * half minute or so one window goes by with half of the limit, after one that lets go what was there. (Envoy goes down
 * to three requests for that; halved is below what a service can do, since the limit rests at 1.5 to 2 times as much.)
 * Time and dice are parameters.
 */
export class ConcurrencyLimiter {
  #settings: ConcurrencySettings
  #limit = initialLimit
  /** 0 = nothing is known yet. */
  #unloadedMs: Milliseconds = 0
  #underWay = 0
  #sumMs: Milliseconds = 0
  #answers = 0
  #mostUnderWay = 0
  #windowFrom: Milliseconds | undefined
  #probeAt = 0
  /** How the present window goes by: as ever, letting go of what is there, or measuring. */
  #phase: 'open' | 'emptying' | 'measuring' = 'open'
  readonly #random: Random

  constructor(random: Random, settings: ConcurrencySettings = concurrencyDefaults) {
    this.#random = random
    this.#settings = settings
    this.configure(settings)
  }

  configure(settings: ConcurrencySettings): void {
    this.#settings = settings
    this.#limit = this.#bounded(this.#limit)
  }

  /** How many may be under way now. */
  get limit(): number {
    const limit = this.#phase === 'open' ? this.#limit : this.#limit / 2
    return Math.max(this.#settings.min, Math.floor(limit))
  }

  get underWay(): number {
    return this.#underWay
  }

  /** What answers take without load; 0 = nobody knows yet. */
  get unloadedMs(): Milliseconds {
    return this.#unloadedMs
  }

  /**
   * Takes one more, if it may. Each that was taken is let go of once, by `answered` or `left`.
   * @param share of the limit that is open to such requests, 0 to 1
   */
  tryTake(share = 1): boolean {
    if (this.#underWay >= this.limit * share) return false
    this.#underWay++
    if (this.#underWay > this.#mostUnderWay) this.#mostUnderWay = this.#underWay
    return true
  }

  /** One has its answer after `ms`, or will have none any more after that long. */
  answered(now: Milliseconds, ms: Milliseconds): void {
    this.#underWay--
    this.#sumMs += ms
    this.#answers++
    this.#windowFrom ??= now
    if (now - this.#windowFrom >= windowMs && this.#answers >= enoughAnswers) this.#close(now)
  }

  /** One is over, and says nothing of how long answers take. */
  left(): void {
    this.#underWay--
  }

  #close(now: Milliseconds): void {
    const mean = this.#sumMs / this.#answers
    const isIdle = this.#mostUnderWay <= this.#limit * idleShare
    this.#sumMs = 0
    this.#answers = 0
    this.#windowFrom = now
    this.#mostUnderWay = this.#underWay
    if (this.#phase === 'emptying') {
      this.#phase = 'measuring'
      return
    }
    this.#learn(mean, isIdle || this.#phase === 'measuring')
    const wasOpen = this.#phase === 'open'
    this.#phase = 'open'
    if (isIdle || !wasOpen) this.#probeAt = now + probeEveryMs * (0.75 + 0.5 * this.#random())
    if (!wasOpen) return
    this.#move(mean, isIdle)
    if (now >= this.#probeAt) this.#phase = 'emptying'
  }

  #learn(mean: Milliseconds, isUnloaded: boolean): void {
    if (this.#unloadedMs === 0 || mean < this.#unloadedMs) this.#unloadedMs = Math.max(mean, 0.01)
    else if (isUnloaded) this.#unloadedMs += (mean - this.#unloadedMs) * smoothing
  }

  #move(mean: Milliseconds, isIdle: boolean): void {
    const gradient = Math.max(steepest, Math.min(1, (this.#settings.tolerance * this.#unloadedMs) / mean))
    // Without need there is no reason to allow more.
    if (isIdle && gradient === 1) return
    const wanted = this.#limit * gradient + Math.sqrt(this.#limit)
    this.#limit = this.#bounded(this.#limit + (wanted - this.#limit) * smoothing)
  }

  #bounded(limit: number): number {
    return Math.min(this.#settings.max, Math.max(this.#settings.min, limit))
  }
}
