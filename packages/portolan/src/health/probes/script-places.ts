import { setTimeout as pause } from 'node:timers/promises'

/** One place among a few, had or waited for. */
export interface Place {
  readonly waiting: boolean
  /** Gives it to who waits longest, or stops waiting. Calling it again does nothing. */
  leave(): void
  /** Who has it was killed and will leave soon. If not, others need not wait for it. */
  killed(): void
}

export interface Guest {
  /** There is a place. Called within {@link Places.enter} when there is one now. */
  begin(): void
  /** There will be none: as many as there are places cannot even be killed. Never within that call. */
  full(reason: string): void
}

/** Places for a few of many, in the order in which they came. */
export interface Places {
  enter(guest: Guest): Place
  /** Resolves when nobody is left, or after so long. */
  empty(withinMs: number): Promise<void>
}

/** A process waiting for a disk or a network file system does not end by SIGKILL before that answers. */
const stuckAfterMs = 10_000
const lookMs = 5

export function places(total: number): Places {
  const waiting = new Map<Guest, () => void>()
  let taken = 0
  let stuck = 0

  const passOn = (): void => {
    const [first] = waiting
    if (first === undefined) {
      taken--
      return
    }
    waiting.delete(first[0])
    first[1]()
  }

  return {
    enter(guest) {
      let state: 'waiting' | 'in' | 'stuck' | 'out' = 'waiting'
      let timer: NodeJS.Timeout | undefined
      const enter = (): void => {
        state = 'in'
        guest.begin()
      }
      if (stuck >= total) {
        state = 'out'
        setImmediate(() =>
          guest.full(
            `${stuck} scripts cannot be ended, not even by SIGKILL: look for processes in state D, on a file system that does not answer`,
          ),
        )
      } else if (taken < total) {
        taken++
        enter()
      } else waiting.set(guest, enter)
      return {
        get waiting() {
          return state === 'waiting'
        },
        leave() {
          clearTimeout(timer)
          if (state === 'waiting') waiting.delete(guest)
          if (state === 'in') passOn()
          if (state === 'stuck') stuck--
          state = 'out'
        },
        killed() {
          if (state !== 'in') return
          timer = setTimeout(() => {
            state = 'stuck'
            stuck++
            passOn()
          }, stuckAfterMs)
        },
      }
    },
    async empty(withinMs) {
      for (let waited = 0; taken > 0 && waited < withinMs; waited += lookMs) await pause(lookMs)
    },
  }
}
