import type { Clock, Milliseconds } from '@portolan/core'
import type { Timers } from '../timers.ts'

interface Timer {
  readonly at: Milliseconds
  readonly order: number
  readonly run: () => void
}

/** A clock and timers that stand still until somebody lets time pass. */
export interface VirtualTime extends Clock, Timers {
  /** Lets `ms` pass: runs what falls due, in order, and lets what that started settle in between. */
  pass(ms: Milliseconds): Promise<void>
  /** The whole process stands still: the clock goes on, and no timer runs until the next `pass`. */
  freeze(ms: Milliseconds): void
  /** Timers that have not run yet. */
  readonly waiting: number
}

/** Lets promises, and the I/O-free stores behind them, come to rest. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise(resolve => setImmediate(resolve))
}

export function virtualTime(): VirtualTime {
  const timers = new Set<Timer>()
  let now = 1_000_000
  let count = 0
  const next = (until: Milliseconds): Timer | undefined => {
    const due = [...timers].filter(({ at }) => at <= until)
    return due.sort((a, b) => a.at - b.at || a.order - b.order)[0]
  }
  return {
    now: () => now,
    timeOfDay: () => new Date(Date.UTC(2030, 0, 1) + now).toISOString(),
    after(ms, run) {
      const timer = { at: now + Math.max(0, ms), order: count++, run }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    async pass(ms) {
      const end = now + ms
      await settle()
      for (let timer = next(end); timer !== undefined; timer = next(end)) {
        timers.delete(timer)
        now = Math.max(now, timer.at)
        timer.run()
        await settle()
      }
      now = Math.max(now, end)
    },
    freeze(ms) {
      now += ms
    },
    get waiting() {
      return timers.size
    },
  }
}
