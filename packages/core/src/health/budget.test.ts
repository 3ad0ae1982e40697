import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  allowedPerSecond,
  budgetRules,
  noStretch,
  stretchedInterval,
  stretchFor,
  type Wanted,
} from './budget.ts'

const rateOf = (wanted: readonly Wanted[], allowed: number, rules = budgetRules): number => {
  const stretch = stretchFor(wanted, allowed, rules)
  return wanted.reduce((sum, { intervalMs, count, fresh }) => {
    const kept = (isFresh: boolean) => stretchedInterval(intervalMs, isFresh, stretch, rules)
    return sum + (1000 * fresh) / kept(true) + (1000 * (count - fresh)) / kept(false)
  }, 0)
}

describe('the budget', () => {
  it('allows a share of the requests, and of their CPU time where that is known', () => {
    expect(allowedPerSecond({ requests: 200, cpuMs: undefined }, budgetRules)).toBe(10)
    expect(allowedPerSecond({ requests: 4000, cpuMs: 300 }, budgetRules)).toBeCloseTo(15, 6)
  })

  it('takes some for free, however little business there is', () => {
    expect(allowedPerSecond({ requests: 0, cpuMs: undefined }, budgetRules)).toBe(10)
    expect(allowedPerSecond({ requests: 20, cpuMs: 0.1 }, budgetRules)).toBe(10)
    expect(allowedPerSecond({ requests: 20, cpuMs: undefined }, { ...budgetRules, freePerSecond: 0 })).toBe(1)
  })

  it('leaves alone what it can pay for', () => {
    expect(stretchFor([{ intervalMs: 1000, count: 20, fresh: 20 }], 20)).toEqual(noStretch)
    expect(stretchFor([], 0)).toEqual(noStretch)
  })

  it('stretches the fresh until all fit: 100 instances that want 500 checks a second, under 200 requests', () => {
    const wanted = [{ intervalMs: 200, count: 100, fresh: 100 }]
    expect(stretchFor(wanted, 10).fresh).toBeCloseTo(50)
    expect(rateOf(wanted, 10)).toBeCloseTo(10)
  })

  it('goes no further than one in 30 s, whatever there is to pay with', () => {
    const wanted = [{ intervalMs: 200, count: 100, fresh: 100 }]
    expect(rateOf(wanted, 0)).toBeCloseTo(100 / 30)
    expect(stretchedInterval(200, true, stretchFor(wanted, 0))).toBe(30_000)
    expect(stretchedInterval(60_000, true, stretchFor(wanted, 0))).toBe(60_000)
  })

  it('never lets those wait of whom nothing is known', () => {
    const wanted = [{ intervalMs: 1000, count: 100, fresh: 40 }]
    const stretch = stretchFor(wanted, 5)
    expect(stretchedInterval(1000, false, stretch)).toBe(1000)
    expect(stretchedInterval(1000, true, stretch)).toBe(30_000)
  })

  it('stretches everybody beyond the hard limit', () => {
    const rules = { ...budgetRules, maxPerSecond: 50 }
    expect(rateOf([{ intervalMs: 100, count: 100, fresh: 0 }], 1e9, rules)).toBeCloseTo(50)
    expect(rateOf([{ intervalMs: 100, count: 100, fresh: 100 }], 100, rules)).toBeCloseTo(50)
  })

  it('keeps to what is allowed, or is at the floor, and stretches nobody more than needed', () => {
    const part = fc
      .record({ intervalMs: fc.integer({ min: 100, max: 120_000 }), count: fc.nat(1000), share: fc.nat(4) })
      .map(({ intervalMs, count, share }) => ({ intervalMs, count, fresh: Math.floor((count * share) / 4) }))
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 6 }),
        fc.double({ min: 0, max: 5000, noNaN: true }),
        (wanted, allowed) => {
          const rules = { ...budgetRules, maxPerSecond: 1e12 }
          const { fresh } = stretchFor(wanted, allowed, rules)
          const unstretched = wanted.reduce(
            (sum, { intervalMs, count }) => sum + (1000 * count) / intervalMs,
            0,
          )
          const floor = wanted.reduce((sum, { intervalMs, count, fresh: some }) => {
            return sum + (1000 * some) / Math.max(intervalMs, 30_000) + (1000 * (count - some)) / intervalMs
          }, 0)
          const rate = rateOf(wanted, allowed, rules)
          expect(fresh).toBeGreaterThanOrEqual(1)
          const within = Math.max(allowed, floor) * (1 + 1e-9) + 1e-9
          expect(rate).toBeLessThanOrEqual(Math.min(within, unstretched * (1 + 1e-9)))
          // No budget is left over, unless all run as they want to.
          expect(rate).toBeGreaterThanOrEqual(Math.min(unstretched, allowed) * (1 - 1e-9) - 1e-9)
        },
      ),
    )
  })
})
