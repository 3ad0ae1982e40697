import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../time/clock.ts'
import { Balancer } from '../balancer.ts'
import { weightedSet } from '../testing/sets.ts'
import { chiSquaredSigmas, countPicks, worstShareError } from '../testing/shares.ts'
import { randomChoice } from './random.ts'

describe('random, 100,000 picks', () => {
  it.each([
    ['10 equal', Array(10).fill(1)],
    ['1,000 equal', Array(1000).fill(1)],
    ['10 weighted', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]],
    ['1,000 weighted', Array.from({ length: 1000 }, (_, index) => 1 + (index % 10))],
    ['one giant', [1_000_000, ...Array(100).fill(1000)]],
  ])('shares are within 1 % of the weights, and the rest is chance: %s', (_title, weights) => {
    const balancer = new Balancer(randomChoice(), seededRandom(1))
    balancer.update(weightedSet(weights))
    const counts = [...countPicks(balancer, 100_000).values()]
    expect(worstShareError(counts, weights)).toBeLessThan(0.01)
    expect(Math.abs(chiSquaredSigmas(counts, weights))).toBeLessThan(4)
  })
})
