import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

/** How Node runs a TypeScript file of this repository: from source, whatever dist holds. */
const fromSource = ['--import', import.meta.resolve('tsx'), '--conditions=portolan-source']
const main = join(root, 'packages/portolan/src/cli/main.ts')

/** Programs that a supervisor starts as plain `node` run from source too. */
export const sourceEnv = { NODE_OPTIONS: fromSource.join(' ') }

/** Waits until `look` gives something; says what it waited for when the time is over. */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  withinMs = 20_000,
) {
  const deadline = performance.now() + withinMs
  for (;;) {
    const value = await look()
    if (value !== undefined && value !== false) return value
    if (performance.now() > deadline) throw new Error(`waited ${withinMs} ms for: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}

/** Where Debian keeps servers. */
export function withSbin(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` }
}

export interface Program {
  readonly child: ChildProcess
  readonly pid: number
  readonly output: () => string
  /** Sends the signal and waits for the end. */
  end(signal?: NodeJS.Signals): Promise<number | null>
}

/** Starts `portolan ARG…` from source. Whatever a test starts, it ends: `endAll` in afterEach. */
export class Processes {
  readonly #running = new Set<Program>()
  readonly #directories: string[] = []
  readonly #servers: Server[] = []

  directory(): string {
    const path = mkdtempSync(join(tmpdir(), 'portolan-e2e-'))
    this.#directories.push(path)
    return path
  }

  file(name: string, text: string, directory = this.directory()): string {
    const path = join(directory, name)
    writeFileSync(path, text)
    return path
  }

  /** `up` without DNS where no roles are said: on its port there is room for one. */
  portolan(args: readonly string[], env: NodeJS.ProcessEnv = {}, cwd = root): Program {
    const without = args[0] === 'up' && !args.includes('--roles') ? ['--roles', 'registry,gateway'] : []
    return this.node([main, ...args, ...without], env, cwd)
  }

  node(args: readonly string[], env: NodeJS.ProcessEnv = {}, cwd = root): Program {
    return this.start(process.execPath, [...fromSource, ...args], { PORTOLAN_LOG: 'warn', ...env }, cwd)
  }

  /** Starts any program, by its name in PATH or a superuser's. */
  start(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}, cwd = root): Program {
    const child = spawn(command, args, {
      cwd,
      env: { ...withSbin(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    const collect = (chunk: string): void => {
      output = (output + chunk).slice(-200_000)
    }
    child.stdout.setEncoding('utf8').on('data', collect)
    child.stderr.setEncoding('utf8').on('data', collect)
    const gone = once(child, 'exit')
    const program: Program = {
      child,
      pid: child.pid ?? 0,
      output: () => output,
      end: async (signal = 'SIGTERM') => {
        if (child.exitCode === null && child.signalCode === null) {
          child.kill(signal)
          await gone
        }
        this.#running.delete(program)
        return child.exitCode
      },
    }
    this.#running.add(program)
    return program
  }

  /** Starts `portolan up` and waits for its ready line. */
  async up(args: readonly string[], env: NodeJS.ProcessEnv = {}, cwd = root): Promise<Program> {
    const program = this.portolan(['up', ...args], { ...sourceEnv, ...env }, cwd)
    await until(
      'the ready line',
      () => {
        if (program.child.exitCode !== null) throw new Error(`up ended: ${program.output()}`)
        return /^ready\b/m.test(program.output())
      },
      60_000,
    ).catch(error => {
      throw new Error(`${error}\n${program.output()}`)
    })
    return program
  }

  /** Opens an instance within the test itself; `endAll` closes it. Returns its `ADDRESS:PORT`. */
  async instance(listener: RequestListener): Promise<string> {
    const server = createServer(listener)
    this.#servers.push(server)
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    return `127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  async endAll(): Promise<void> {
    for (const server of this.#servers.splice(0)) {
      server.closeAllConnections()
      server.close()
    }
    await Promise.all(
      [...this.#running].map(async program => {
        program.child.kill('SIGCONT')
        const late = setTimeout(() => program.child.kill('SIGKILL'), 15_000)
        await program.end()
        clearTimeout(late)
      }),
    )
    for (const path of this.#directories.splice(0)) rmSync(path, { recursive: true, force: true })
  }
}

export async function getJson<T>(url: string, headers: Record<string, string> = {}): Promise<T> {
  const response = await fetch(url, { headers })
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`)
  return (await response.json()) as T
}
