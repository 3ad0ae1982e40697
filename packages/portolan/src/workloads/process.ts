import { type StdioOptions, spawn } from 'node:child_process'
import { Fault } from '@portolan/core'
import { groupRuns, readProcess, stillRuns } from './proc-table.ts'

/** How a process ended. Both are null when that cannot be known: it was not our child. */
export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A running program: the first process of its own group and session. */
export interface ProgramProcess {
  readonly pid: number
  readonly startTicks: number
  readonly exit: Promise<Exit>
  /** Signals the whole group; nothing happens when it is gone. */
  signal(signal: NodeJS.Signals): void
  /** Stops following it: `exit` may stay unresolved, and nothing of it keeps our process alive. */
  release(): void
}

export interface ProgramStart {
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd?: string | undefined
  readonly stdio: StdioOptions
}

/**
 * Starts a program without a shell, in a process group of its own.
 * @throws Fault `workload_failed` when it cannot be started
 */
export async function startProgram(start: ProgramStart): Promise<ProgramProcess> {
  const [file = '', ...args] = start.command
  const child = spawn(file, args, {
    cwd: start.cwd,
    env: { ...start.env },
    stdio: start.stdio,
    detached: true,
  })
  // Read before the event loop turns: until then even a process that has ended is still in the table.
  const startTicks = child.pid === undefined ? 0 : (readProcess(child.pid)?.startTicks ?? 0)
  const exit = new Promise<Exit>(resolve => {
    child.once('exit', (code, signal) => resolve({ code, signal }))
  })
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', error => reject(cannotStart(start, error)))
  })
  const pid = child.pid ?? 0
  return {
    pid,
    startTicks,
    exit,
    signal: signal => signalProgram(pid, startTicks, signal),
    release: () => child.unref(),
  }
}

function cannotStart(start: ProgramStart, error: NodeJS.ErrnoException): Fault {
  const file = JSON.stringify(start.command[0])
  const reason =
    error.code === 'ENOENT'
      ? `${file} or the folder ${start.cwd ?? process.cwd()} is not there`
      : error.code === 'EACCES'
        ? `${file} may not be executed`
        : error.message
  return new Fault('workload_failed', `cannot start ${file}: ${reason}`, {
    source: 'caller',
    cause: error,
    hint: 'check the command: it is run without a shell, from PATH or the given folder',
  })
}

const adoptedPollMs = 50

/**
 * A process that an earlier supervisor started. It is no child of ours, so its end is seen by looking: within 50 ms,
 * and without exit code or signal.
 */
export function adoptProgram(pid: number, startTicks: number): ProgramProcess {
  let release = (): void => {}
  const exit = new Promise<Exit>(resolve => {
    const timer = setInterval(() => {
      if (stillRuns(pid, startTicks)) return
      clearInterval(timer)
      resolve({ code: null, signal: null })
    }, adoptedPollMs)
    release = () => clearInterval(timer)
  })
  const signal = (name: NodeJS.Signals): void => signalProgram(pid, startTicks, name)
  return { pid, startTicks, exit, signal, release: () => release() }
}

function signalProgram(pid: number, startTicks: number, signal: NodeJS.Signals): void {
  const entry = readProcess(pid)
  // Another process has the number now. A group keeps its number from being given away while it has a member.
  if (entry !== undefined && entry.startTicks !== startTicks) return
  signalGroup(pid, signal)
}

/** Signals a process group. One that is gone is no error. */
export function signalGroup(group: number, signal: NodeJS.Signals): void {
  // kill(-1) would signal every process that we may signal.
  if (group <= 1) return
  try {
    process.kill(-group, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

const groupPollMs = 20

/**
 * Ends what is left of a group whose leader has ended: SIGTERM, and SIGKILL after the grace time or when `now` aborts.
 * Resolves when nothing of it runs, or shortly after SIGKILL: a process that not even that ends is the kernel's.
 */
export async function clearGroup(process: ProgramProcess, graceMs: number, now: AbortSignal): Promise<void> {
  const { pid: group } = process
  if (await groupGone(group, 0, now)) return
  process.signal('SIGTERM')
  if (await groupGone(group, graceMs, now)) return
  process.signal('SIGKILL')
  await groupGone(group, 1000)
}

/** Waits for the end of a group. @returns whether it has ended within `timeoutMs` and before `signal` aborted */
function groupGone(group: number, timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
  if (!groupRuns(group)) return Promise.resolve(true)
  if (timeoutMs === 0 || signal?.aborted === true) return Promise.resolve(false)
  return new Promise(resolve => {
    const finish = (gone: boolean): void => {
      clearInterval(poll)
      clearTimeout(timeout)
      signal?.removeEventListener('abort', giveUp)
      resolve(gone)
    }
    const giveUp = (): void => finish(!groupRuns(group))
    const poll = setInterval(() => !groupRuns(group) && finish(true), groupPollMs)
    const timeout = setTimeout(giveUp, timeoutMs)
    signal?.addEventListener('abort', giveUp)
  })
}
