import type { Milliseconds } from '../time/clock.ts'
import { DemandMeter } from './demand-meter.ts'
import type { RateDemand, RateLimit, RateShare } from './limit.ts'
import { TokenBucket } from './token-bucket.ts'

/** How often demand is told when nothing happens. */
const tellMs: Milliseconds = 1000
/** How long a newcomer gathers before it tells what it is asked for. */
const gatherMs: Milliseconds = 500

/** How often `tick` wants to be called. */
export const sharedTickMs: Milliseconds = 50

/**
 * One gateway's part of a limit that several share. Until a first share comes it goes by the whole limit, as if it were
 * alone; when no more come, by the last one.
 */
export class SharedBucket {
  readonly #bucket: TokenBucket
  readonly #meter = new DemandMeter()
  #limit: RateLimit
  #share: RateLimit | undefined
  readonly #beganAt: Milliseconds
  #asked = 0
  #tickedAt: Milliseconds
  #toldAt: Milliseconds
  #isMeasured = false

  constructor(limit: RateLimit, now: Milliseconds) {
    this.#limit = limit
    this.#bucket = new TokenBucket(limit, now)
    this.#beganAt = now
    this.#tickedAt = now
    this.#toldAt = now
  }

  /** Requests a second that it may let pass at present. */
  get qps(): number {
    return (this.#share ?? this.#limit).qps
  }

  tryTake(now: Milliseconds): boolean {
    this.#asked += 1
    return this.#bucket.tryTake(now)
  }

  putBack(): void {
    this.#bucket.putBack()
  }

  waitMs(now: Milliseconds): Milliseconds {
    return this.#bucket.waitMs(now)
  }

  /** To be called every `sharedTickMs`. Returns what is to be told, about once a second and when demand changes. */
  tick(now: Milliseconds): RateDemand | undefined {
    const jumped = this.#meter.tick(this.#asked, now - this.#tickedAt)
    this.#asked = 0
    this.#tickedAt = now
    this.#isMeasured ||= jumped || now - this.#beganAt >= gatherMs
    // Empty, it turns requests away; full, it wastes what others may lack: then it must not be a second behind.
    const tokens = this.#bucket.tokens(now)
    const isAtAnEnd = tokens < 1 || tokens >= this.#bucket.capacity
    const creeps = isAtAnEnd && !jumped && this.#meter.creeps()
    const isDue = now - this.#toldAt >= (now - this.#beganAt < tellMs ? gatherMs : tellMs)
    return jumped || creeps || isDue ? this.tell(now) : undefined
  }

  /** What is to be told now: at first, and whenever there is somebody new to tell it to. */
  tell(now: Milliseconds): RateDemand {
    this.#toldAt = now
    return {
      ...(this.#isMeasured ? { perSecond: this.#meter.tell() } : {}),
      // Before a share, it has nothing of what is dealt out.
      tokens: this.#share === undefined ? 0 : Math.max(0, this.#bucket.tokens(now)),
      ...(this.#share === undefined ? {} : { qps: this.#share.qps }),
    }
  }

  /** Goes by that share from now on. Returns what is to be told: that it gives something back. */
  receive({ qps, burst, tokens = 0 }: RateShare, now: Milliseconds): RateDemand | undefined {
    const share = { qps: Math.min(qps, this.#limit.qps), burst: Math.min(burst, this.#limit.burst) }
    const bucket = this.#bucket
    if (this.#share === undefined) {
      // What has passed already is part of it.
      const passed = bucket.capacity - bucket.tokens(now)
      bucket.configure(share, now)
      bucket.add(Math.max(0, tokens - passed) - bucket.tokens(now), now)
      this.#share = share
      return undefined
    }
    this.#share = share
    const back = bucket.configure(share, now)
    if (tokens > 0) bucket.add(tokens, now)
    return back > 0 ? { ...this.tell(now), back } : undefined
  }

  /** Another limit: the share of the old one holds until the next comes, as far as it fits. */
  configure(limit: RateLimit, now: Milliseconds): void {
    this.#limit = limit
    if (this.#share === undefined) this.#bucket.configure(limit, now)
    else this.receive(this.#share, now)
  }
}
