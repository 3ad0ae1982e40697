import { afterEach } from 'vitest'
import { openTested, type Tested, type TestedOptions } from './open-tested.ts'

/**
 * Opens what a test needs, and closes it after the test, unless the test takes it out of `opened` to close it itself. To be
 * called once, at the top of a test file.
 */
export function opener() {
  const opened: Tested[] = []
  afterEach(async () => {
    for (const tested of opened.splice(0)) await tested.close()
  })
  const keep = (tested: Tested): Tested => {
    opened.push(tested)
    return tested
  }
  return {
    opened,
    keep,
    open: async (options?: TestedOptions): Promise<Tested> => keep(await openTested(options)),
  }
}
