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
