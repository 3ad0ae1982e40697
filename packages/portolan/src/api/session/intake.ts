import type { Clock, Milliseconds } from '@portolan/core'

/** A token bucket: `perSecond` over time, a second's worth at once. */
export interface MessageBucket {
  /** So many messages have come; default 1. */
  take(messages?: number): void
  /** Until another may come: 0 while there is something in the bucket. */
  readonly waitMs: Milliseconds
}

export function messageBucket(perSecond: number, clock: Clock): MessageBucket {
  let tokens = perSecond
  let last = clock.now()
  const refill = (): void => {
    const now = clock.now()
    tokens = Math.min(perSecond, tokens + ((now - last) * perSecond) / 1000)
    last = now
  }
  return {
    take(messages = 1) {
      refill()
      tokens -= messages
    },
    get waitMs() {
      refill()
      return tokens >= 0 ? 0 : (-tokens * 1000) / perSecond
    },
  }
}

/** Something that can stop reading. */
export interface Readable {
  pause(): void
  resume(): void
}

/** Why a session is not read for the moment. */
export type Hold = 'rate' | 'pending' | 'unsent'

/** Reads while nothing speaks against it: peers that send too much are slowed by TCP, and need not be dropped. */
export function openGate(source: Readable): { hold(why: Hold): void; release(why: Hold): void } {
  const holds = new Set<Hold>()
  return {
    hold(why) {
      if (holds.size === 0) source.pause()
      holds.add(why)
    },
    release(why) {
      if (holds.delete(why) && holds.size === 0) source.resume()
    },
  }
}
