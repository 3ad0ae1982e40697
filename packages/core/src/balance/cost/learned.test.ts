import { describe, expect, it } from 'vitest'
import { costOf, setCosts } from './cost-picker.ts'
import { fold, Learned, medianLatency } from './learned.ts'

function learned(latencyMs: number): Learned {
  return Object.assign(new Learned(), { latencyMs })
}

const folding = { overMs: 1000, memoryMs: 5000, usualMs: 10 }

describe('what is learned of an endpoint', () => {
  it('is the first mean as it is, then a mean that forgets', () => {
    const one = new Learned()
    Object.assign(one, { sumMs: 300, count: 10 })
    fold(one, folding)
    expect(one).toMatchObject({ latencyMs: 30, sumMs: 0, count: 0 })
    Object.assign(one, { sumMs: 1300, count: 10 })
    fold(one, folding)
    expect(one.latencyMs).toBeCloseTo(30 + 100 * (1 - Math.exp(-0.2)), 9)
  })

  it('comes near the usual while nothing comes, by the same ratio in the same time', () => {
    const one = learned(160)
    for (let second = 0; second < 10; second++) fold(one, folding)
    expect(one.latencyMs / 10).toBeCloseTo(16 ** Math.exp(-1), 9)
    const other = learned(160)
    fold(other, { ...folding, overMs: 10_000 })
    expect(other.latencyMs).toBeCloseTo(one.latencyMs, 9)
    expect(other.silentMs).toBe(10_000)
  })

  it('stays where nothing has come and nobody knows what is usual', () => {
    const one = learned(30)
    fold(one, { ...folding, usualMs: 0 })
    expect(one.latencyMs).toBe(30)
  })

  it('believes the first that comes after a silence by how long that was', () => {
    const one = learned(10)
    fold(one, { ...folding, overMs: 9000 })
    Object.assign(one, { sumMs: 50, count: 1 })
    fold(one, folding)
    expect(one.latencyMs).toBeCloseTo(10 + 40 * (1 - Math.exp(-2)), 9)
    expect(one.silentMs).toBe(0)
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
