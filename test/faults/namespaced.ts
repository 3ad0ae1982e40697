import { describe } from 'vitest'
import { whyNoNamespaces } from './namespace.ts'

const missing = whyNoNamespaces()

/**
 * `describe` for tests that need a network namespace. Where none can be made they are skipped, which is said; in CI
 * they fail.
 */
export function describeInNamespaces(name: string, tests: () => void): void {
  if (missing === undefined || process.env.CI) {
    describe(name, tests)
    return
  }
  console.warn(`skipped: ${name}: ${missing}`)
  describe.skip(`${name} (${missing})`, tests)
}
