import { describe, expect, it } from 'vitest'
import { costOf, setCosts } from './cost-picker.ts'
import { fold, Learned, medianLatency } from './learned.ts'

function learned(latencyMs: number): Learned {
  return Object.assign(new Learned(), { latencyMs })
}

describe('what is learned of an endpoint', () => {
  it('is the first mean as it is, then a mean that forgets', () => {
    const one = new Learned()
    Object.assign(one, { sumMs: 300, count: 10 })
    fold(one, 1000, 5000)
    expect(one).toMatchObject({ latencyMs: 30, sumMs: 0, count: 0 })
    Object.assign(one, { sumMs: 1300, count: 10 })
    fold(one, 1000, 5000)
    expect(one.latencyMs).toBeCloseTo(30 + 100 * (1 - Math.exp(-0.2)), 9)
  })

  it('stays where nothing has come', () => {
    const one = learned(30)
    fold(one, 60_000, 5000)
    expect(one.latencyMs).toBe(30)
  })

  it('costs what it takes beside the median, alike what is about the same, ten times at most either way', () => {
    const all = [0.5, 5, 9, 10, 11, 25, 900].map(learned)
    expect(medianLatency(all)).toBe(10)
    setCosts(all, 10)
    expect(all.map(({ cost }) => cost)).toEqual([0.1, 0.5, 1, 1, 1, 2.5, 10])
  })

  it('costs one each where nothing is known of anybody', () => {
    const all = [learned(0), learned(0)]
    setCosts(all, medianLatency(all))
    expect(all.map(({ cost }) => cost)).toEqual([1, 1])
  })

  it('changes with the latency without a leap', () => {
    for (let ratio = 0.05; ratio < 20; ratio *= 1.001) {
      const [less, more] = [costOf(ratio), costOf(ratio * 1.001)]
      expect(more).toBeGreaterThanOrEqual(less)
      expect(more / less).toBeLessThan(1.004)
    }
  })
})
