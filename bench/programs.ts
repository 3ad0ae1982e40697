import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

/** Runs a TypeScript file of this repository from source. */
export const fromSource = ['--import', 'tsx', '--conditions=portolan-source']

/** Where a program is, looking into the sbin folders too. @throws when it is missing, with how to get it */
export function find(program: string): string {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/bin']
  for (const folder of folders) {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return join(folder, program)
    } catch {
      // Not in this folder.
    }
  }
  throw new Error(`${program} is missing: npm run setup:test installs it`)
}

/** The command, pinned to one processor so that peers and ours have the same. */
export function pinned(cpu: number, command: string, args: readonly string[]): [string, string[]] {
  return [find('taskset'), ['-c', String(cpu), command, ...args]]
}

export function start(
  cpu: number,
  command: string,
  args: readonly string[],
  options: SpawnOptions = {},
): ChildProcess {
  const [program, all] = pinned(cpu, command, args)
  return spawn(program, all, { stdio: ['ignore', 'pipe', 'inherit'], ...options })
}

export function runPinned(cpu: number, command: string, args: readonly string[]): string {
  const [program, all] = pinned(cpu, command, args)
  const { stdout, stderr, status } = spawnSync(program, all, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: exit ${status}: ${stderr}${stdout}`)
  return stdout
}

/** Ends a child and waits until it is gone. */
export async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise(resolve => child.once('exit', resolve))
  child.kill(signal)
  const killer = setTimeout(() => child.kill('SIGKILL'), 5000)
  await gone
  clearTimeout(killer)
}

/** The first line of a child's stdout that `read` makes something of. */
export function firstLine<T>(
  child: ChildProcess,
  read: (line: string) => T | undefined,
  withinMs = 30_000,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let text = ''
    const late = setTimeout(() => reject(new Error(`no ready line within ${withinMs} ms: ${text}`)), withinMs)
    child.once('exit', code => reject(new Error(`exited with ${code} before it was ready: ${text}`)))
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      for (const line of text.split('\n')) {
        const value = read(line)
        if (value === undefined) continue
        clearTimeout(late)
        resolve(value)
        return
      }
    })
  })
}
