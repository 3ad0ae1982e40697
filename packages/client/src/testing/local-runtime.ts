import { seededRandom } from '@portolan/core'
import type { LocalRuntime } from '../runtime.ts'

/** Real time, seeded dice: for tests over real sockets. */
export function localRuntime(seed = 1): LocalRuntime {
  return {
    clock: { now: () => performance.now() },
    random: seededRandom(seed),
    timers: {
      after(ms, run, kind) {
        const timer = setTimeout(run, ms)
        if (kind === 'background') timer.unref()
        return () => clearTimeout(timer)
      },
    },
  }
}

/** {@link localRuntime} in which `speed` seconds pass in one, so that tests need not wait out long pauses. */
export function hurriedRuntime(speed: number): LocalRuntime {
  const { clock, random, timers } = localRuntime()
  return {
    clock: { now: () => clock.now() * speed },
    random,
    timers: { after: (ms, run, kind) => timers.after(ms / speed, run, kind) },
  }
}
