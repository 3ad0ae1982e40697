// `npm start`: builds and runs the shop of examples/shop. Ctrl-C ends everything that it started.
import { spawn } from 'node:child_process'
import { bin, root, step } from './steps.mjs'

const built = await step('building', process.execPath, [
  bin('typescript/bin/tsc'),
  '-b',
  'tsconfig.build.json',
])
if (!built) process.exit(1)

const main = 'packages/portolan/dist/cli/main.js'
const args = ['up', '--config', 'examples/shop/portolan.yaml', ...process.argv.slice(2)]
const child = spawn(process.execPath, [main, ...args], { cwd: root, stdio: 'inherit' })

// A terminal sends Ctrl-C to the whole group, the child included; a supervisor signals only us.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
  })
}
child.on('exit', (code, signal) => process.exit(code ?? 128 + (signal === 'SIGKILL' ? 9 : 15)))
