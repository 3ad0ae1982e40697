import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { srvWeights } from './srv-weights.ts'

describe('weights of SRV records', () => {
  it.each([
    [[1, 1, 1], 1, [1, 1, 1]],
    [[100, 100], 1, [1, 1]],
    [[0.37, 0.37], 1, [1, 1]],
    [[1, 2, 3], 1, [1, 2, 3]],
    [[10, 20, 30], 1, [1, 2, 3]],
    [[1, 1.5], 1, [2, 3]],
    [[0.25, 1], 1, [1, 4]],
    [[1, 0.37], 1, [27, 10]],
    [[1, 1 / 3], 1, [3, 1]],
    [[1, 3], 256, [256, 768]],
    [[0.001, 1_000_000], 1, [1, 65_535]],
    [[1, 1000], 256, [256, 65_280]],
    [[1, 1], 100_000, [65_535, 65_535]],
    [[], 1, []],
  ])('%j times %d are %j', (weights, scale, expected) => {
    expect(srvWeights(weights, scale)).toEqual(expected)
  })

  it('are whole numbers in range, with the ratios of the weights', () => {
    const weight = fc.integer({ min: 1, max: 500 }).map(value => value / 10)
    const property = fc.property(fc.array(weight, { minLength: 2, maxLength: 100 }), weights => {
      const made = srvWeights(weights)
      expect(made.every(value => Number.isInteger(value) && value >= 1 && value <= 65_535)).toBe(true)
      const [first = 1] = weights
      const [ours = 1] = made
      for (const [index, value] of weights.entries()) {
        expect((made[index] ?? 0) / ours / (value / first)).toBeCloseTo(1, 2)
      }
    })
    fc.assert(property)
  })
})
