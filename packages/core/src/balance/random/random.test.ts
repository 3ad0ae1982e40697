import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../time/clock.ts'
import { Balancer } from '../balancer.ts'
import { policyContract } from '../testing/policy-contract.ts'
import { weightedSet } from '../testing/sets.ts'
import { chiSquaredSigmas } from '../testing/shares.ts'
import { randomChoice } from './random.ts'

policyContract('random', randomChoice)

describe('randomChoice', () => {
  it.each([
    ['equal', [1, 1, 1, 1, 1]],
    ['mixed', [90, 4, 3, 2, 1]],
  ])(
    'retries by weight among what was not tried, without a preference for neighbours: %s',
    (_title, weights) => {
      const balancer = new Balancer(randomChoice(), seededRandom(1))
      balancer.update(weightedSet(weights))
      const [heavy, , middle] = balancer.endpoints
      if (heavy === undefined || middle === undefined) throw new Error('no endpoints')
      const counts = new Map(balancer.endpoints.map(({ id }) => [id, 0]))
      for (let count = 0; count < 20_000; count++) {
        const picked = balancer.pick({ tried: [middle, heavy] })
        if (picked === undefined) throw new Error('nothing picked')
        counts.set(picked.id, (counts.get(picked.id) ?? 0) + 1)
      }
      expect([counts.get(heavy.id), counts.get(middle.id)]).toEqual([0, 0])
      const rest = [...counts.values()].filter(count => count > 0)
      expect(
        Math.abs(
          chiSquaredSigmas(
            rest,
            [1, 3, 4].map(index => weights[index] ?? 0),
          ),
        ),
      ).toBeLessThan(4)
    },
  )
})
