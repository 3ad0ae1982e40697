import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** A program of this folder, run from source in a process of its own. */
export interface Child {
  readonly process: ChildProcess
  /** What it has printed so far. */
  output(): string
  /** Resolves when it has printed at least so many lines, or has ended. */
  lines(count: number): Promise<void>
  /** SIGKILL, and wait until it and its output have ended. */
  kill(): Promise<void>
}

export function startChild(program: string, args: readonly string[], wrapper: readonly string[] = []): Child {
  const main = fileURLToPath(new URL(program, import.meta.url))
  const node = [process.execPath, '--import', 'tsx', '--conditions=portolan-source', main, ...args]
  const [command = '', ...rest] = [...wrapper, ...node]
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'close')
  let output = ''
  let seen = 0
  let changed = () => {}
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    seen += text.split('\n').length - 1
    changed()
  })
  return {
    process: child,
    output: () => output,
    async lines(count) {
      const finished = ended.then(() => true)
      while (seen < count) {
        const more = new Promise<boolean>(resolve => {
          changed = () => resolve(false)
        })
        if (await Promise.race([more, finished])) return
      }
    },
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
