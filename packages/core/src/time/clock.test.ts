import { describe, expect, it } from 'vitest'
import { chiSquaredSigmas } from '../balance/testing/shares.ts'
import { seededRandom } from './clock.ts'

describe('seededRandom', () => {
  it('repeats itself for a seed, and differs between seeds', () => {
    const rolls = (seed: number) => Array.from({ length: 5 }, seededRandom(seed))
    expect(rolls(1)).toEqual(rolls(1))
    expect(rolls(1)).not.toEqual(rolls(2))
    expect(rolls(2 ** 32 + 1)).toEqual(rolls(1))
  })

  it('is uniform in [0, 1)', () => {
    for (const seed of [0, 1, -1, 4_294_967_295]) {
      const random = seededRandom(seed)
      const counts = Array<number>(100).fill(0)
      for (let roll = 0; roll < 100_000; roll++) {
        const value = random()
        if (value < 0 || value >= 1) throw new Error(`${value} is out of range`)
        const bucket = Math.floor(value * 100)
        counts[bucket] = (counts[bucket] ?? 0) + 1
      }
      expect(Math.abs(chiSquaredSigmas(counts, Array(100).fill(1)))).toBeLessThan(4)
    }
  })
})
