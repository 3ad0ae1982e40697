import type { Clock } from '@portolan/core'
import { pingFrame } from './frame.ts'
import { maxPingsPerSecond, PingSchedule, type PingTimes, pingInterval } from './ping-schedule.ts'

/** A connection as its pinger sees it. */
export interface Pinged {
  ping(frame: Buffer): void
}

/** What a peer's pongs, or the lack of them, mean to others. */
export interface LivenessEvents<Peer> {
  onSilent(peer: Peer): void
  onAnswered(peer: Peer): void
  /** Silent for the time of a lease. The peer is forgotten. */
  onLost(peer: Peer): void
  /** Our own lateness, in milliseconds, that was not held against anybody. */
  onLag(ms: number): void
}

/** One pinger for all sessions: one timer, whatever their number. */
export interface Liveness<Peer> {
  add(peer: Peer): void
  remove(peer: Peer): void
  answered(peer: Peer): void
  /** Between a pong and the next ping, as it is now. */
  readonly intervalMs: number
  close(): void
}

const tickMs = 20

/** Lateness up to this is a timer's usual coarseness. */
const usualLagMs = tickMs

export function openLiveness<Peer extends Pinged>(
  times: PingTimes,
  clock: Clock,
  events: LivenessEvents<Peer>,
): Liveness<Peer> {
  const schedule = new PingSchedule<Peer>(times)
  let timer: NodeJS.Timeout | undefined
  let lastTick = 0
  // Deadlines are in fair time, which stands still while our own event loop does: what we were too busy to read
  // is not held against the one who sent it.
  let lag = 0
  const fairNow = (): number => clock.now() - lag

  function tick(): void {
    const now = clock.now()
    const elapsed = now - lastTick
    lastTick = now
    if (elapsed - tickMs > usualLagMs) {
      lag += elapsed - tickMs
      events.onLag(elapsed - tickMs)
    }
    const most = Math.ceil((Math.min(elapsed, 2 * tickMs) * maxPingsPerSecond) / 1000)
    const frame = pingFrame(pingInterval(times.ping, schedule.size))
    for (const peer of schedule.due(now - lag, most)) peer.ping(frame)
    // Pongs that lie in the kernel already are read before anybody is judged: immediates come after I/O.
    if (schedule.hasOverdue(now - lag)) setImmediate(judge, now - lag)
  }

  function judge(now: number): void {
    for (const peer of schedule.fallenSilent(now)) events.onSilent(peer)
    for (const peer of schedule.lost(now)) events.onLost(peer)
  }

  function stopWhenIdle(): void {
    if (schedule.size > 0 || timer === undefined) return
    clearInterval(timer)
    timer = undefined
  }

  return {
    add(peer) {
      schedule.add(peer, fairNow())
      if (timer !== undefined) return
      lastTick = clock.now()
      timer = setInterval(tick, tickMs)
    },
    remove(peer) {
      schedule.remove(peer)
      stopWhenIdle()
    },
    answered(peer) {
      if (schedule.answered(peer, fairNow())) events.onAnswered(peer)
    },
    get intervalMs() {
      return pingInterval(times.ping, schedule.size)
    },
    close() {
      clearInterval(timer)
      timer = undefined
    },
  }
}
