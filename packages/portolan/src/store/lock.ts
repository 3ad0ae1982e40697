import { linkSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '@portolan/core'

/** A process, so exactly that no later one with the same pid is taken for it. */
interface Owner {
  readonly pid: number
  /** Clock ticks between the boot and the start of the process: /proc/PID/stat, field 22. */
  readonly started: string
  readonly boot: string
}

export interface DirectoryLock {
  release(): void
}

const prefix = 'owner.'

/**
 * Makes this process the one owner of a directory, until `release` or its death: whoever comes after a SIGKILL
 * takes over. Owners are files `owner.N`; the highest N rules. One becomes owner by creating N + 1, which the file
 * system grants to exactly one. An owner that leaves marks its file and never removes it: were the numbers to start
 * again from 1, two starters could hold different numbers and both feel safe.
 * Liveness is judged by /proc, so two containers that do not see each other's processes must not share a directory.
 * @throws Fault `data_dir_locked`: a living process has it; the message names the pid
 */
export function lockDirectory(directory: string): DirectoryLock {
  const self = thisProcess()
  const draft = join(directory, `draft.${self.pid}.${self.started}.${process.hrtime.bigint()}`)
  writeFileSync(draft, JSON.stringify(self), { mode: 0o600 })
  try {
    for (;;) {
      const numbers = ownersIn(directory)
      const newest = numbers.at(-1) ?? 0
      const owner = readOwner(join(directory, prefix + newest))
      if (owner !== undefined && alive(owner)) throw locked(directory, owner)
      const mine = join(directory, prefix + (newest + 1))
      if (!linked(draft, mine)) continue
      // A listing made while another starter cleaned up may have missed everybody.
      if (ownersIn(directory).some(number => number > newest + 1)) {
        rmSync(mine, { force: true })
        continue
      }
      for (const number of numbers) rmSync(join(directory, prefix + number), { force: true })
      return { release: () => releaseOwner(mine) }
    }
  } finally {
    rmSync(draft, { force: true })
  }
}

/** The pid of the living process that owns a directory; `undefined` when none does, or there is no such directory. */
export function directoryOwner(directory: string): number | undefined {
  try {
    const owner = readOwner(join(directory, prefix + (ownersIn(directory).at(-1) ?? 0)))
    return owner !== undefined && alive(owner) ? owner.pid : undefined
  } catch {
    return undefined
  }
}

function ownersIn(directory: string): number[] {
  const numbers = readdirSync(directory)
    .filter(name => /^owner\.\d{1,15}$/.test(name))
    .map(name => Number(name.slice(prefix.length)))
  return numbers.sort((a, b) => a - b)
}

/** Undefined: nobody, because the owner left, or because the file is gone or torn by a power loss. */
function readOwner(path: string): Owner | undefined {
  try {
    const read = JSON.parse(readFileSync(path, 'utf8')) as Partial<Owner>
    const { pid, started, boot } = read
    return pid === undefined || started === undefined || boot === undefined
      ? undefined
      : { pid, started, boot }
  } catch {
    return undefined
  }
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Leaves the file and takes the name out of it. The directory may be gone by now. */
function releaseOwner(path: string): void {
  try {
    writeFileSync(`${path}.left`, '{}', { mode: 0o600 })
    renameSync(`${path}.left`, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

function thisProcess(): Owner {
  return { pid: process.pid, started: startOf(process.pid) ?? '', boot: bootId() ?? '' }
}

function alive(owner: Owner): boolean {
  return owner.boot === (bootId() ?? '') && owner.started === startOf(owner.pid)
}

/** The machine's random id of this boot; undefined where there is no /proc. */
export function bootId(): string | undefined {
  return readText('/proc/sys/kernel/random/boot_id')?.trim()
}

/** Undefined: there is no such process, or it is a zombie, which owns nothing any more. */
function startOf(pid: number): string | undefined {
  // The name in parentheses may contain anything, spaces and parentheses included.
  const fields = readText(`/proc/${pid}/stat`)
    ?.replace(/^.*\) /s, '')
    .split(' ')
  return fields === undefined || fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function locked(directory: string, owner: Owner): Fault {
  return new Fault('data_dir_locked', `${directory} is in use by process ${owner.pid}`, {
    source: 'caller',
    hint: `end process ${owner.pid}, or give this server a data directory of its own`,
  })
}
