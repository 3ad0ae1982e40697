import { describe, expect, it } from 'vitest'
import { timeOuts } from './testing/time-outs.ts'

// The full size is 10,000, and takes minutes: PORTOLAN_SCRIPT_TIMEOUTS=10000 npx vitest run --project unit THIS.
const checks = Number(process.env.PORTOLAN_SCRIPT_TIMEOUTS ?? 100)

describe('scripts that all time out', () => {
  it(`leave no process, descriptor or memory behind: ${checks} of them`, {
    timeout: checks * 200 + 60_000,
  }, async () => {
    const found = await timeOuts({ checks, timeoutMs: 60, concurrency: 16 })
    expect(found).toMatchObject({ checks, leaked: 0, leakedAfterClose: 0 })
    const [early, late] = found.descriptors
    // Those of 16 scripts come and go: three each.
    expect(late).toBeLessThanOrEqual(early + 8)
    const [before, after] = found.residentMb
    expect(after - before).toBeLessThan(64)
  })
})
