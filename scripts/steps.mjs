// What the two commands (start, test) share: steps with progress, and child processes without a shell.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

export function say(line) {
  process.stdout.write(`▸ ${line}\n`)
}

/** Runs a command in the repository's root; resolves with its exit code, 128 + n for a signal. */
export function run(command, args, { env = {}, quiet = false } = {}) {
  return new Promise((resolve, reject) => {
    const stdio = quiet ? ['ignore', 'ignore', 'inherit'] : ['ignore', 'inherit', 'inherit']
    const child = spawn(command, args, { cwd: root, stdio, env: { ...process.env, ...env } })
    child.on('error', reject)
    child.on('exit', (code, signal) => resolve(code ?? 128 + (signal === 'SIGINT' ? 2 : 15)))
  })
}

/** Runs one named step and says how long it took; false when it failed. */
export async function step(name, command, args, options) {
  say(name)
  const start = process.hrtime.bigint()
  const code = await run(command, args, options)
  const seconds = Number(process.hrtime.bigint() - start) / 1e9
  say(`${name}: ${code === 0 ? 'ok' : `failed with exit code ${code}`} (${seconds.toFixed(1)} s)`)
  return code === 0
}

/** `npm` by the very copy that runs us, where one does. */
export function npm(args, options) {
  const copy = process.env.npm_execpath
  return copy ? run(process.execPath, [copy, ...args], options) : run('npm', args, options)
}

/** The path of a program of node_modules. */
export function bin(packagePath) {
  return fileURLToPath(new URL(`../node_modules/${packagePath}`, import.meta.url))
}
