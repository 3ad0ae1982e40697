import { seededRandom } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import { constant, type Distribution, exponential, logNormal } from './distributions.ts'

function momentsOf(distribution: Distribution, count = 400_000) {
  const random = seededRandom(7)
  let [sum, squares] = [0, 0]
  for (let i = 0; i < count; i++) {
    const value = distribution.sample(random)
    sum += value
    squares += value * value
  }
  const mean = sum / count
  return { mean, cv: Math.sqrt(squares / count - mean * mean) / mean }
}

describe('service times', () => {
  it.each([
    ['constant', constant(10), 0],
    ['exponential', exponential(10), 1],
    ['log-normal', logNormal(10, 0.5), 0.5],
    ['log-normal, heavy', logNormal(10, 2.5), 2.5],
  ])('have the mean and the variation that they say: %s', (_name, distribution, cv) => {
    const found = momentsOf(distribution)
    expect(distribution.meanMs).toBe(10)
    expect(Math.abs(found.mean / 10 - 1)).toBeLessThan(0.015)
    expect(Math.abs(found.cv - cv)).toBeLessThan(0.05 * cv + 1e-6)
  })
})
