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
  /** There is a place, and it is its turn. Never within {@link Places.enter}. */
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
  const waiting: Set<Turn> = new Set()
  /** Those that have a place, and begin one in each turn of the event loop: to start a process blocks it. */
  const beginning: Set<Turn> = new Set()
  let taken = 0
  let stuck = 0
  let isPlanned = false

  const plan = (): void => {
    if (isPlanned || beginning.size === 0) return
    isPlanned = true
    setImmediate(beginOne)
  }
  const beginOne = (): void => {
    isPlanned = false
    const [turn] = beginning
    if (turn === undefined) return
    beginning.delete(turn)
    plan()
    turn.begin()
  }
  const admit = (turn: Turn): void => {
    beginning.add(turn)
    plan()
  }
  const passOn = (): void => {
    const [first] = waiting
    if (first === undefined) {
      taken--
      return
    }
    waiting.delete(first)
    admit(first)
  }

  return {
    enter(guest) {
      let state: 'waiting' | 'in' | 'stuck' | 'out' = 'waiting'
      let timer: NodeJS.Timeout | undefined
      const turn: Turn = {
        begin() {
          state = 'in'
          guest.begin()
        },
      }
      if (stuck >= total) {
        state = 'out'
        setImmediate(() => guest.full(stuckReason(stuck)))
      } else if (taken < total) {
        taken++
        admit(turn)
      } else waiting.add(turn)
      return {
        get waiting() {
          return state === 'waiting'
        },
        leave() {
          clearTimeout(timer)
          const hadPlace = state === 'in' || (state === 'waiting' && beginning.delete(turn))
          waiting.delete(turn)
          if (state === 'stuck') stuck--
          state = 'out'
          if (hadPlace) passOn()
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

/** One that has a place, or waits for it. */
interface Turn {
  begin(): void
}

function stuckReason(stuck: number): string {
  return `${stuck} scripts cannot be ended, not even by SIGKILL: look for processes in state D, on a file system that does not answer`
}
