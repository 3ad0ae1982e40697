import { expect, it } from 'vitest'
import { limit, limitOfThree } from '../rate/limit-of-three.ts'

it('a rate limit holds for three gateways together, wherever requests come', async () => {
  const { stretches, shares, broken } = await limitOfThree(10_000, line => console.info(line))
  expect(stretches).toHaveLength(3)
  for (const { name, passed, plan, off, gateways } of stretches) {
    expect(Math.abs(off), `${name}: ${passed} of ${plan}`).toBeLessThan(0.02)
    const all = (of: 'sent' | 'limited' | 'withRetryAfter' | 'other') =>
      gateways.reduce((sum, counts) => sum + counts[of], 0)
    expect(all('sent')).toBeGreaterThan(17_000)
    expect(all('limited')).toBeGreaterThan(6000)
    expect(all('withRetryAfter')).toBe(all('limited'))
    expect(all('other')).toBe(0)
  }
  expect(shares.reduce((sum, share) => sum + share, 0)).toBeLessThan(limit.qps + 1)
  expect(broken).toBe(0)
}, 400_000)
