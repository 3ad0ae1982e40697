import { spawnSync } from 'node:child_process'
import { describe } from 'vitest'
import { withSbin } from './processes.ts'

/**
 * `describe` for tests that need real programs. Where one is missing they are skipped, which is said; in CI they fail.
 */
export function describeWith(programs: readonly string[], name: string, tests: () => void): void {
  const missing = programs.filter(program => !isThere(program))
  if (missing.length === 0) {
    describe(name, tests)
    return
  }
  const why = `${missing.join(', ')} missing: npm run setup:test`
  if (process.env.CI) throw new Error(why)
  console.warn(`skipped: ${name}: ${why}`)
  describe.skip(`${name} (${why})`, tests)
}

function isThere(program: string): boolean {
  return spawnSync(program, ['--version'], { env: withSbin(), stdio: 'ignore' }).error === undefined
}
