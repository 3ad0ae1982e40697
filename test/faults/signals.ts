import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isAlive, ownerName } from './alive.ts'
import { monotonicMs, sleep } from './monotonic.ts'

/** A process that SIGSTOP holds. */
export interface Stopped {
  readonly at: number
  /** Lets it go on; again, or when it is gone: nothing happens. Returns when that was. */
  resume(): number
}

/** Kills without a warning. Returns when that was. */
export function kill(pid: number): number {
  const at = monotonicMs()
  process.kill(pid, 'SIGKILL')
  return at
}

/** Notes of what is stopped, one folder a process that stops others: what it leaves behind can be let go. */
const notes = join(tmpdir(), 'portolan-faults')

/** Stops a process between two instructions, as a debugger or a freezing host does. */
export function stop(pid: number): Stopped {
  const folder = join(notes, ownerName())
  const note = join(folder, ownerName(pid))
  mkdirSync(folder, { recursive: true })
  writeFileSync(note, '')
  const at = monotonicMs()
  process.kill(pid, 'SIGSTOP')
  let resumed: number | undefined
  return {
    at,
    resume() {
      if (resumed !== undefined) return resumed
      resumed = monotonicMs()
      goOn(pid)
      rmSync(note, { force: true })
      return resumed
    },
  }
}

/** {@link stop} for `ms`. */
export async function stopFor(pid: number, ms: number): Promise<void> {
  const stopped = stop(pid)
  try {
    await sleep(ms)
  } finally {
    stopped.resume()
  }
}

/** Lets go what processes have stopped that are gone themselves. */
export function sweepStopped(): void {
  let owners: string[] = []
  try {
    owners = readdirSync(notes)
  } catch {
    // Nobody has ever stopped anything here.
  }
  for (const owner of owners) {
    if (isAlive(owner)) continue
    for (const victim of readdirSync(join(notes, owner)))
      if (isAlive(victim)) goOn(Number.parseInt(victim, 10))
    rmSync(join(notes, owner), { recursive: true, force: true })
  }
}

function goOn(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT')
  } catch {
    // It was killed while it was stopped.
  }
}
