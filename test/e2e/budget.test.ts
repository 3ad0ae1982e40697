import { describe, expect, it } from 'vitest'
import { checksUnderBudget } from '../outage/budget.ts'

// Both at once: each counts what a minute brings, and counts little.
describe.concurrent('the budget of health checks', () => {
  for (const [rate, beside, network] of [
    [200, 'beside 200 requests a second', '127.71.0'],
    [0, 'without any traffic', '127.72.0'],
  ] as const) {
    it(`keeps 10 of 500 checks a second for 100 instances with sessions ${beside}`, {
      timeout: 180_000,
    }, async () => {
      const found = await checksUnderBudget({ rate, network, seconds: 25, kills: 2 })

      expect(found.looked).toBe(100)
      expect(found.checksPerSecond).toBeGreaterThan(3.3)
      expect(found.checksPerSecond).toBeLessThan(11)
      expect(found.longestGapMs).toBeLessThan(31_000)
      expect(Math.max(...found.killMs)).toBeLessThan(1000)
      if (rate > 0) expect(found.requestsPerSecond).toBeGreaterThan(0.9 * rate)
    })
  }
})
