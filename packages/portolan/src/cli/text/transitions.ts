import type { CopyState } from '../../workloads/supervised.ts'
import type { Io } from '../command.ts'

export interface Transitions {
  close(): void
}

const pollMs = 200

/** Tells whoever watches the terminal when a program ended and when it is back. */
export function tellTransitions(states: () => readonly CopyState[], io: Pick<Io, 'err'>): Transitions {
  const known = new Map<string, CopyState>()
  const look = (): void => {
    for (const state of states()) {
      const key = `${state.workload}/${state.id}`
      const before = known.get(key)
      known.set(key, state)
      const line = before === undefined ? undefined : transition(before, state)
      if (line !== undefined) io.err(`${line}\n`)
    }
  }
  look()
  const timer = setInterval(look, pollMs)
  return { close: () => clearInterval(timer) }
}

/** What to say of a program that was `before` and is `now`; nothing when nothing is worth it. */
function transition(before: CopyState, now: CopyState): string | undefined {
  const { id, lastExit } = now
  if (lastExit !== undefined && lastExit !== before.lastExit && !lastExit.asked) {
    const { code, signal, error } = lastExit
    return `${id} ended: ${error ?? signal ?? `exit code ${code}`}; it is started again`
  }
  const isUp = (state: CopyState): boolean => state.phase === 'running' || state.phase === 'open'
  if (isUp(now) && !isUp(before) && now.starts > 1) return `${id} is back, pid ${now.pid}`
  return undefined
}
