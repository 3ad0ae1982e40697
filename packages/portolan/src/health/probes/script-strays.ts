import { readdirSync, readFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises'
import { runVariable } from './script-environment.ts'
import { isOrphaned } from './script-marks.ts'

/** Ends what has left the process group of a run that is over. */
export interface StrayHunt {
  /** Looks for what is left of a run: soon, together with others, and until two looks in a row have found nothing. */
  hunt(run: string): void
  /** Looks for what is left of all runs that this hunt's marks belong to; resolves when nothing is. */
  finish(): Promise<void>
  /** Ends what is left of scripts whose server was killed. */
  endOrphans(): Promise<void>
}

/** Processes that are read before others get their turn: some 15 µs each. */
const readAtOnce = 64
const quietLooks = 2
const everybody = Buffer.from(`${runVariable}=`)
/** One that outruns this many looks is not a script that went wrong. */
const mostLooks = 40
const pauseMs = 50
/** Looking takes one part in so many of our time; but nothing is left to run for longer than `longestPauseMs`. */
const shareOfTime = 20
const longestPauseMs = 1000

/** @param marks what the marks of all runs begin with */
export function openStrayHunt(marks: string): StrayHunt {
  const needle = Buffer.from(`${runVariable}=${marks}`)
  const wanted = new Map<string, { quiet: number; looks: number }>()
  const finishing = new AbortController()
  let hunting: Promise<void> | undefined
  let orphans: Promise<void> | undefined

  const huntAll = async (): Promise<void> => {
    while (wanted.size > 0) {
      const looking = new Set(wanted.keys())
      const { found, busyMs } = await endMarked(needle, run => looking.has(run))
      for (const run of looking) {
        const state = wanted.get(run)
        if (state === undefined) continue
        state.looks++
        state.quiet = found.has(run) ? 0 : state.quiet + 1
        if (state.quiet >= quietLooks || state.looks >= mostLooks) wanted.delete(run)
      }
      const rest = Math.min(longestPauseMs, Math.max(pauseMs, busyMs * shareOfTime))
      if (wanted.size > 0) await pause(rest, undefined, finishing).catch(() => {})
    }
  }

  const begin = (): Promise<void> => {
    hunting ??= huntAll().finally(() => {
      hunting = undefined
    })
    return hunting
  }

  return {
    hunt(run) {
      wanted.set(run, { quiet: 0, looks: 0 })
      void begin()
    },
    endOrphans() {
      orphans ??= endMarked(everybody, isOrphaned).then(() => {})
      return orphans
    },
    async finish() {
      wanted.clear()
      finishing.abort()
      await hunting
      await orphans
      for (let looks = 0, quiet = 0; quiet < quietLooks && looks < mostLooks; looks++) {
        const { found } = await endMarked(needle, () => true)
        quiet = found.size > 0 ? 0 : quiet + 1
        if (quiet < quietLooks) await pause(quiet === 0 ? pauseMs : 5)
      }
    },
  }
}

interface Looked {
  /** The runs that still had processes. */
  readonly found: ReadonlySet<string>
  /** How long our event loop was kept from other work. */
  readonly busyMs: number
}

/** Sends SIGKILL to every process that carries the mark of a run that `isOver`. */
async function endMarked(needle: Buffer, isOver: (run: string) => boolean): Promise<Looked> {
  const found = new Set<string>()
  let busyMs = 0
  let since = performance.now()
  const pids = readdirSync('/proc').filter(name => /^\d+$/.test(name))
  for (const [index, pid] of pids.entries()) {
    if (index % readAtOnce === readAtOnce - 1) {
      busyMs += performance.now() - since
      await turn()
      since = performance.now()
    }
    const run = runOf(pid, needle)
    if (run === undefined || !isOver(run)) continue
    found.add(run)
    endProcess(Number(pid))
  }
  return { found, busyMs: busyMs + performance.now() - since }
}

/** The run whose mark a process carries. Undefined for others' processes, and for those that have just ended. */
function runOf(pid: string, needle: Buffer): string | undefined {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`)
    const at = environment.indexOf(needle)
    if (at < 0) return undefined
    const from = at + runVariable.length + 1
    const end = environment.indexOf(0, from)
    return environment.toString('latin1', from, end < 0 ? undefined : end)
  } catch {
    return undefined
  }
}

/**
 * The processes that descend from one, as long as those between them live. Finds what was started without our mark:
 * `su - NAME` begins a session of its own with an empty environment.
 */
export function descendantsOf(pid: number): readonly number[] {
  const found: number[] = []
  const ask = [pid]
  for (let next = ask.pop(); next !== undefined && found.length < 4096; next = ask.pop()) {
    const children = childrenOf(next)
    found.push(...children)
    ask.push(...children)
  }
  return found
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap(task =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1')
        .split(' ')
        .filter(word => word !== '')
        .map(Number),
    )
  } catch {
    return []
  }
}

/** SIGKILL to one process; one that is gone, or another's, is no error. */
export function endProcess(pid: number): void {
  // 0 and -1 would be all of our group and all that we may signal; 1 is init.
  if (pid > 1) quietKill(pid)
}

/** SIGKILL to a process group; one that is gone is no error. */
export function endGroup(group: number): void {
  if (group > 1) quietKill(-group)
}

function quietKill(target: number): void {
  try {
    process.kill(target, 'SIGKILL')
  } catch {
    // ESRCH: it has ended by itself. EPERM: it has become another user's, which is not ours to end.
  }
}
