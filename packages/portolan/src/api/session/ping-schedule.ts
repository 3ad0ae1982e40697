import type { Milliseconds } from '@portolan/core'

export interface PingTimes {
  /** From a pong to the next ping. */
  readonly ping: Milliseconds
  /** From a ping to silence. */
  readonly silent: Milliseconds
  /** From a ping to giving up. */
  readonly lease: Milliseconds
}

/** All sessions together get no more pings than this. */
export const maxPingsPerSecond = 4000

/** The time between a pong and the next ping, for `count` sessions. */
export function pingInterval(ping: Milliseconds, count: number): Milliseconds {
  return Math.max(ping, (count * 1000) / maxPingsPerSecond)
}

/**
 * Who is to be pinged, who is silent and who is gone, at times that the caller names. Each peer is in one of three
 * queues, and since all peers wait equally long in a queue, its head is always due first: every step costs as
 * much as it finds, however many peers there are.
 */
export class PingSchedule<Peer> {
  readonly #times: PingTimes
  /** Since when it rests: when it was added or last answered. */
  readonly #resting = new Map<Peer, Milliseconds>()
  /** When it was pinged. */
  readonly #pinged = new Map<Peer, Milliseconds>()
  readonly #silent = new Map<Peer, Milliseconds>()

  constructor(times: PingTimes) {
    this.#times = times
  }

  get size(): number {
    return this.#resting.size + this.#pinged.size + this.#silent.size
  }

  add(peer: Peer, now: Milliseconds): void {
    this.remove(peer)
    this.#resting.set(peer, now)
  }

  remove(peer: Peer): void {
    this.#resting.delete(peer)
    this.#pinged.delete(peer)
    this.#silent.delete(peer)
  }

  /** A pong. True when the peer had been silent. */
  answered(peer: Peer, now: Milliseconds): boolean {
    const wasSilent = this.#silent.delete(peer)
    if (wasSilent || this.#pinged.delete(peer)) this.#resting.set(peer, now)
    return wasSilent
  }

  /** Those to ping now, at most `most`; they count as pinged. */
  due(now: Milliseconds, most: number): readonly Peer[] {
    const since = now - pingInterval(this.#times.ping, this.size)
    return move(this.#resting, since, most, peer => this.#pinged.set(peer, now))
  }

  /** Whether {@link fallenSilent} or {@link lost} would name anybody. */
  hasOverdue(now: Milliseconds): boolean {
    return isDue(this.#pinged, now - this.#times.silent) || isDue(this.#silent, now - this.#times.lease)
  }

  /** Those whose pong is overdue; each is named once. */
  fallenSilent(now: Milliseconds): readonly Peer[] {
    const since = now - this.#times.silent
    return move(this.#pinged, since, Infinity, (peer, pinged) => this.#silent.set(peer, pinged))
  }

  /** Those that have been silent for the lease's time; they are forgotten. */
  lost(now: Milliseconds): readonly Peer[] {
    return move(this.#silent, now - this.#times.lease, Infinity, () => undefined)
  }
}

function isDue<Peer>(queue: ReadonlyMap<Peer, Milliseconds>, since: Milliseconds): boolean {
  for (const [, time] of queue) return time <= since
  return false
}

/** Takes from the queue's head what has waited since `since` or longer. */
function move<Peer>(
  queue: Map<Peer, Milliseconds>,
  since: Milliseconds,
  most: number,
  onto: (peer: Peer, time: Milliseconds) => unknown,
): readonly Peer[] {
  const moved: Peer[] = []
  for (const [peer, time] of queue) {
    if (time > since || moved.length >= most) break
    queue.delete(peer)
    onto(peer, time)
    moved.push(peer)
  }
  return moved
}
