import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Histogram } from './histogram.ts'

describe('a histogram', () => {
  it('knows every percentile to half a per cent, and never says less', () => {
    const times = fc.array(fc.double({ min: 0.002, max: 1e6, noNaN: true }), { minLength: 1 })
    fc.assert(
      fc.property(times, fc.double({ min: 0.001, max: 1, noNaN: true }), (values, share) => {
        const histogram = new Histogram()
        for (const value of values) histogram.add(value)
        const sorted = [...values].sort((a, b) => a - b)
        const exact = sorted[Math.ceil(share * values.length) - 1] ?? 0
        const found = histogram.percentile(share)
        expect(found).toBeGreaterThanOrEqual(exact * (1 - 1e-12))
        expect(found).toBeLessThanOrEqual(exact * 1.005)
      }),
    )
  })

  it('takes what is shorter or longer than it can tell apart', () => {
    const histogram = new Histogram()
    for (const value of [0, 1e-9, 1e12]) histogram.add(value)
    expect(histogram.count).toBe(3)
    expect(histogram.max).toBe(1e12)
    expect(histogram.percentile(0.1)).toBeLessThan(0.002)
    expect(new Histogram().percentile(0.5)).toBe(0)
    expect(new Histogram().mean).toBe(0)
  })
})
