import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../time/clock.ts'
import { Balancer } from '../balancer.ts'
import { learningContract } from '../testing/learning-contract.ts'
import { weightedSet } from '../testing/sets.ts'
import { countPicks, worstShareError } from '../testing/shares.ts'
import { type Forecast, forecastWeighted } from './forecast-weighted.ts'

learningContract('forecast-weighted', forecastWeighted)

function balancerOf(forecast?: Forecast): Balancer {
  const balancer = new Balancer(forecastWeighted(forecast), seededRandom(1))
  balancer.update(weightedSet(Array(10).fill(1)))
  return balancer
}

describe('forecast-weighted', () => {
  it('sends less to who will be busy', () => {
    const balancer = balancerOf(({ id }) => (id === 'i-0000' ? 0.8 : 0.1))
    expect(countPicks(balancer, 20_000, 40).get('i-0000')).toBeLessThan(1600)
  })

  it.each([
    ['nobody forecasts', undefined],
    ['nobody knows', () => undefined],
    ['all will be alike', () => 0.5],
    ['it is no number', () => Number.NaN],
    ['it is below nothing', () => -1],
    ['it is beyond everything', () => Number.POSITIVE_INFINITY],
  ])('shares evenly when %s', (_title, forecast) => {
    const counts = [...countPicks(balancerOf(forecast), 100_000, 40).values()]
    expect(worstShareError(counts, Array(10).fill(1))).toBeLessThan(0.01)
  })
})
