// `npm start`: builds and runs the shop of examples/shop. Ctrl-C, or SIGTERM to npm, ends everything that it started.
import { foreground } from './foreground.mjs'
import { bin, root, step } from './steps.mjs'

const built = await step('building', process.execPath, [
  bin('typescript/bin/tsc'),
  '-b',
  'tsconfig.build.json',
])
if (!built) process.exit(1)

const main = 'packages/portolan/dist/cli/main.js'
const args = ['up', '--config', 'examples/shop/portolan.yaml', ...process.argv.slice(2)]
foreground(process.execPath, [main, ...args], { cwd: root })
