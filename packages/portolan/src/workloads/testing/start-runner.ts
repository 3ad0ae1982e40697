import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { readProcess } from '../proc-table.ts'

const runner = fileURLToPath(new URL('./runner.ts', import.meta.url))
const started: Running[] = []

/** `portolan run` in a process of its own. */
export interface Running {
  readonly child: ChildProcess
  readonly exit: Promise<unknown[]>
  readonly said: () => string[]
  readonly output: () => string
}

/** Starts testing/runner.ts with these options (see there) and this program. */
export function run(options: object, command: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
  const source = ['--import', 'tsx', '--conditions=portolan-source']
  const child = spawn(process.execPath, [...source, runner, JSON.stringify(options), ...command], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PORT: undefined, ...env },
  })
  let [output, said] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk
  })
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk
  })
  const running = {
    child,
    exit: once(child, 'exit'),
    output: () => output,
    said: () => said.split('\n').filter(line => line !== ''),
  }
  started.push(running)
  return running
}

/** Ends all that were started, and what they run. */
export function endRunners(): void {
  for (const { child } of started.splice(0)) {
    for (const pid of childrenOf(child.pid ?? 0))
      if (readProcess(pid)?.group === pid) process.kill(-pid, 'SIGKILL')
    child.kill('SIGKILL')
  }
}

function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim()
    return text === '' ? [] : text.split(' ').map(Number)
  } catch {
    return []
  }
}
