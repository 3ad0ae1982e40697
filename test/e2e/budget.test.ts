import { describe, expect, it } from 'vitest'
import { checksUnderBudget } from '../outage/budget.ts'

describe('the budget of health checks', () => {
  for (const [rate, beside] of [
    [200, 'beside 200 requests a second'],
    [0, 'without any traffic'],
  ] as const) {
    it(`keeps 10 of 500 checks a second for 100 instances with sessions ${beside}`, {
      timeout: 180_000,
    }, async () => {
      const found = await checksUnderBudget({ rate, seconds: 25, kills: 2 })

      expect(found.looked).toBe(100)
      expect(found.checksPerSecond).toBeGreaterThan(3.3)
      expect(found.checksPerSecond).toBeLessThan(11)
      expect(found.longestGapMs).toBeLessThan(31_000)
      expect(Math.max(...found.killMs)).toBeLessThan(1000)
      if (rate > 0) expect(found.requestsPerSecond).toBeGreaterThan(0.9 * rate)
    })
  }
})
