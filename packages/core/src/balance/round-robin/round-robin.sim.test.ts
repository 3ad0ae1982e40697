import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../time/clock.ts'
import { Balancer } from '../balancer.ts'
import { weightedSet } from '../testing/sets.ts'
import { countPicks } from '../testing/shares.ts'
import { roundRobin } from './round-robin.ts'

describe('round-robin, 100,000 picks', () => {
  it.each([
    ['10 equal', Array(10).fill(1)],
    ['1,000 equal', Array(1000).fill(3)],
    ['10 weighted', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]],
    ['1,000 weighted', Array.from({ length: 1000 }, (_, index) => 1 + (index % 10))],
    ['one giant', [1_000_000, ...Array(100).fill(1000)]],
  ])('every instance is within one turn of its share: %s', (_title, weights) => {
    const balancer = new Balancer(roundRobin(), seededRandom(1))
    balancer.update(weightedSet(weights))
    const counts = [...countPicks(balancer, 100_000).values()]
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    for (const [index, count] of counts.entries()) {
      const expected = (100_000 * (weights[index] ?? 0)) / total
      expect(Math.abs(count - expected)).toBeLessThanOrEqual(Math.max(2, 0.01 * expected))
    }
  })
})
