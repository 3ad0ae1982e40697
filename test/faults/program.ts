import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Namespace } from './namespace.ts'

/** A process that a test started, and can talk to. */
export interface Program {
  readonly pid: number
  /** Asks over the control channel (`programs/control.ts`). */
  ask<Answer = unknown>(what: string, argument?: unknown): Promise<Answer>
  /** What it printed: the first line that `read` makes something of. */
  line<T>(read: (line: string) => T | undefined, withinMs?: number): Promise<T>
  readonly output: string
  /** Sends the signal (default SIGKILL: programs under test hold nothing dear) and waits for the end. */
  end(signal?: NodeJS.Signals): Promise<void>
}

export interface ProgramOptions {
  readonly env?: NodeJS.ProcessEnv
  /** Where it runs; default: the machine's own network. */
  readonly namespace?: Namespace
  /** A list of processors, as `taskset -c` takes it. Default: those of this process. */
  readonly cpus?: string
  /** Modules of this folder that are loaded first. */
  readonly preload?: readonly ('attempts' | 'tethered')[]
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** A script of `programs/`. */
export const script = (name: 'instance' | 'consumer' | 'visitors' | 'caller' | 'crowd' | 'spinner'): string =>
  here(`./programs/${name}.ts`)

export const portolanMain = here('../../packages/portolan/src/cli/main.ts')

/** Starts a TypeScript file of this repository from source. */
export function startProgram(file: string, args: readonly string[], options: ProgramOptions = {}): Program {
  const loaded = (options.preload ?? []).flatMap(name => ['--import', here(`./programs/${name}.ts`)])
  const node = [
    '--import',
    import.meta.resolve('tsx'),
    '--conditions=portolan-source',
    ...loaded,
    file,
    ...args,
  ]
  let [command, all]: [string, string[]] = [process.execPath, node]
  if (options.cpus !== undefined) [command, all] = ['taskset', ['-c', options.cpus, command, ...all]]
  if (options.namespace !== undefined) [command, all] = options.namespace.wrap(command, all)
  const child = spawn(command, all, {
    cwd: here('../..'),
    env: {
      ...process.env,
      PATH: `${process.env.PATH}:/usr/sbin:/sbin`,
      PORTOLAN_LOG: 'error',
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  return programOf(child, `${file} ${args.join(' ')}`)
}

interface Reply {
  readonly answer?: number
  readonly value?: unknown
  readonly error?: string
}

function programOf(child: ChildProcess, what: string): Program {
  let output = ''
  let asked = 0
  const waiting = new Map<number, (reply: Reply) => void>()
  const readers = new Set<() => void>()
  const gone = once(child, 'exit')
  const collect = (chunk: string): void => {
    output = (output + chunk).slice(-100_000)
    for (const reader of [...readers]) reader()
  }
  child.stdout?.setEncoding('utf8').on('data', collect)
  child.stderr?.setEncoding('utf8').on('data', collect)
  child.on('message', (reply: Reply) => {
    if (reply.answer === undefined) return
    waiting.get(reply.answer)?.(reply)
    waiting.delete(reply.answer)
  })
  child.on('error', () => {})
  child.on('exit', (code, signal) => {
    output += `\nended with ${code ?? signal}`
    for (const settle of waiting.values()) settle({ error: `it ended with ${code}` })
    for (const reader of [...readers]) reader()
  })
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null
  return {
    pid: child.pid ?? 0,
    get output() {
      return output
    },
    ask<Answer>(question: string, argument?: unknown) {
      return new Promise<Answer>((resolve, reject) => {
        const ask = ++asked
        waiting.set(ask, ({ value, error }) => {
          if (error === undefined) resolve(value as Answer)
          else reject(new Error(`${what}: ${question}: ${error}`))
        })
        child.send({ ask, what: question, argument }, error => {
          if (error !== null) reject(error)
        })
      })
    },
    line(read, withinMs = 60_000) {
      return new Promise((resolve, reject) => {
        const stop = (): void => {
          clearTimeout(late)
          readers.delete(look)
        }
        const look = (): void => {
          for (const line of output.split('\n')) {
            const value = read(line)
            if (value === undefined) continue
            stop()
            resolve(value)
            return
          }
          if (!hasEnded()) return
          stop()
          reject(new Error(`${what} ended before it was ready:\n${output}`))
        }
        const late = setTimeout(() => {
          stop()
          reject(new Error(`${what} was not ready in ${withinMs} ms:\n${output}`))
        }, withinMs)
        readers.add(look)
        look()
      })
    },
    async end(signal = 'SIGKILL') {
      if (hasEnded()) return
      child.kill('SIGCONT')
      child.kill(signal)
      const late = setTimeout(() => child.kill('SIGKILL'), 10_000)
      await gone
      clearTimeout(late)
    },
  }
}
