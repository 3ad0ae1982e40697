import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../time/clock.ts'
import { adaptive } from '../adaptive/adaptive.ts'
import { Balancer } from '../balancer.ts'
import { forecastWeighted } from '../forecast-weighted/forecast-weighted.ts'
import { peakEwma } from '../peak-ewma/peak-ewma.ts'
import { weightedSet } from '../testing/sets.ts'
import { countPicks, worstShareError } from '../testing/shares.ts'

describe.each([
  ['adaptive', adaptive],
  ['peak-ewma', peakEwma],
  ['forecast-weighted', forecastWeighted],
] as const)('%s, 100,000 picks', (_name, policy) => {
  it.each([
    ['10 equal', Array(10).fill(1), 1],
    ['10 weighted', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 1],
    ['10 weighted, busy', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 200],
    ['1,000 weighted', Array.from({ length: 1000 }, (_, index) => 1 + (index % 10)), 100],
  ])('shares are within 1 %% of the weights while all answer alike: %s', (_title, weights, inFlight) => {
    const balancer = new Balancer(policy(), seededRandom(1))
    balancer.update(weightedSet(weights))
    const counts = [...countPicks(balancer, 100_000, inFlight).values()]
    expect(worstShareError(counts, weights)).toBeLessThan(0.01)
  })
})
