import { describe, expect, it } from 'vitest'
import { type Random, seededRandom } from '../../time/clock.ts'
import { Balancer } from '../balancer.ts'
import type { Endpoint, Policy } from '../picker.ts'
import { weightedSet } from './sets.ts'

export const equal = (count: number): number[] => Array<number>(count).fill(1)

export function balancerOf(
  policy: Policy,
  weights: readonly number[],
  random: Random = seededRandom(1),
): Balancer {
  const balancer = new Balancer(policy, random)
  balancer.update(weightedSet(weights))
  return balancer
}

/**
 * Serves picks one after the other for some seconds, each within its instance's time; returns the last second's counts.
 * @param rate picks a second
 */
export function serve(
  balancer: Balancer,
  seconds: number,
  msOf: (endpoint: Endpoint) => number | 'fails',
  rate = 1000,
): Map<string, number> {
  const counts = new Map<string, number>()
  for (let second = 0; second < seconds; second++) {
    counts.clear()
    for (let pick = 0; pick < rate; pick++) {
      const picked = balancer.pick()
      if (picked === undefined) throw new Error('nothing to pick')
      counts.set(picked.id, (counts.get(picked.id) ?? 0) + 1)
      const ms = msOf(picked)
      if (ms === 'fails') balancer.done(picked, 'failure')
      else balancer.done(picked, 'success', ms)
    }
    balancer.refresh(1000)
  }
  return counts
}

const isFirst = ({ id }: Endpoint): boolean => id === 'i-0000'

/** What every policy owes that learns from answers. */
export function learningContract(name: string, policy: () => Policy): void {
  describe(`learning contract: ${name}`, () => {
    it.each([4, 12, 40])('hardly sends to one of %i that is slow, and never forgets it', count => {
      const counts = serve(balancerOf(policy(), equal(count)), 10, each => (isFirst(each) ? 40 : 10))
      const share = (counts.get('i-0000') ?? 0) / 1000
      expect(share).toBeLessThan(0.2 / count)
      let later = 0
      const balancer = balancerOf(policy(), equal(count))
      for (let second = 0; second < 60; second++) {
        later += serve(balancer, 1, each => (isFirst(each) ? 40 : 10)).get('i-0000') ?? 0
      }
      expect(later).toBeGreaterThan(0)
    })

    it('sends to one again that has become as fast as the others', () => {
      const balancer = balancerOf(policy(), equal(4))
      serve(balancer, 10, each => (isFirst(each) ? 100 : 10))
      const counts = serve(balancer, 60, () => 10)
      expect(counts.get('i-0000')).toBeGreaterThan(150)
    })

    it.each([2, 20, 100])('does so within half a minute where there are but %i requests a second', rate => {
      const balancer = balancerOf(policy(), equal(6))
      serve(balancer, 6, each => (isFirst(each) ? 50 : 5), rate)
      serve(balancer, 30, () => 5, rate)
      let later = 0
      for (let second = 0; second < 30; second++) {
        later += serve(balancer, 1, () => 5, rate).get('i-0000') ?? 0
      }
      expect(later / (30 * rate)).toBeGreaterThan(0.5 / 6)
    })

    it('tries one that stays slow no more than now and then', () => {
      const balancer = balancerOf(policy(), equal(6))
      let slow = 0
      for (let second = 0; second < 300; second++) {
        slow += serve(balancer, 1, each => (isFirst(each) ? 500 : 5), 100).get('i-0000') ?? 0
      }
      expect(slow / 30_000).toBeLessThan(0.01)
    })

    it('keeps the shares of an idle pool even while answers differ by chance', () => {
      const random = seededRandom(9)
      const counts = serve(balancerOf(policy(), equal(8)), 10, () => 10 * (0.9 + 0.2 * random()))
      for (const count of counts.values()) expect(Math.abs(count / 1000 - 1 / 8)).toBeLessThan(0.05)
    })

    it('gives one that fails within a millisecond less than a fifth of its share', () => {
      const counts = serve(balancerOf(policy(), equal(10)), 5, each => (isFirst(each) ? 'fails' : 10))
      expect((counts.get('i-0000') ?? 0) / 1000).toBeLessThan(0.2 / 10)
    })

    it('takes one of which nothing is known for no better than the mean', () => {
      const balancer = balancerOf(policy(), equal(9))
      serve(balancer, 5, ({ id }) => (id === 'i-0001' ? 90 : 10))
      balancer.update(weightedSet(equal(10), 2))
      const fresh = balancer.endpoints.find(({ id }) => id === 'i-0009')
      const costs = balancer.endpoints.filter(each => each !== fresh).map(({ learned }) => learned.cost)
      expect(fresh?.learned.cost).toBeCloseTo(costs.reduce((sum, cost) => sum + cost, 0) / 9, 9)
    })

    it('keeps what it learned over set changes, and forgets a run that is over', () => {
      const balancer = balancerOf(policy(), equal(4))
      serve(balancer, 5, each => (isFirst(each) ? 40 : 10))
      balancer.update(weightedSet(equal(5), 2))
      const [first] = balancer.endpoints
      expect(first?.learned.latencyMs).toBeGreaterThan(20)
      const set = weightedSet(equal(5), 3)
      const instances = set.instances.map(each => (each.id === 'i-0000' ? { ...each, incarnation: 2 } : each))
      balancer.update({ ...set, instances })
      expect(balancer.endpoints[0]?.learned.latencyMs).toBe(0)
    })

    it('learns nothing from picks that nobody timed, or that were called off', () => {
      const balancer = balancerOf(policy(), equal(4))
      for (let pick = 0; pick < 100; pick++) {
        const picked = balancer.pick()
        if (picked !== undefined) balancer.done(picked, pick % 2 === 0 ? 'success' : 'cancelled')
      }
      balancer.refresh(1000)
      expect(balancer.endpoints.map(({ learned }) => learned)).toEqual(
        Array.from({ length: 4 }, () => ({ sumMs: 0, count: 0, latencyMs: 0, silentMs: 1000, cost: 1 })),
      )
    })
  })
}
