import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../time/clock.ts'
import { Balancer } from '../balancer.ts'
import type { Policy } from '../picker.ts'
import { randomChoice } from '../random/random.ts'
import { weightedSet } from '../testing/sets.ts'
import { chiSquaredSigmas, countPicks, worstShareError } from '../testing/shares.ts'
import { leastRequest } from './least-request.ts'

const picks = 100_000

function balancerOver(weights: readonly number[], policy: Policy = leastRequest({ scanUpTo: 0 })): Balancer {
  const balancer = new Balancer(policy, seededRandom(1))
  balancer.update(weightedSet(weights))
  return balancer
}

/** How often each endpoint wins while the loads stay as given: every pick is undone at once. */
function winsAt(loads: readonly number[]): number[] {
  const balancer = balancerOver(loads.map(() => 1))
  for (const [index, endpoint] of balancer.endpoints.entries()) endpoint.inFlight = loads[index] ?? 0
  return [...countPicks(balancer, picks).values()]
}

describe('least-request by two choices, 100,000 picks', () => {
  it('draws every pair of neighbours, and of others, equally often', () => {
    // The endpoint of rank k (0 = least loaded) wins against the n - 1 - k that carry more.
    const count = 5
    for (let rotation = 0; rotation < count; rotation++) {
      const loads = Array.from({ length: count }, (_, index) => (index + rotation) % count)
      const weights = loads.map(load => count - 1 - load)
      const wins = winsAt(loads)
      expect(worstShareError(wins, weights)).toBeLessThan(0.01)
      const [possible, expected] = [wins, weights].map(values => values.filter((_, index) => weights[index]))
      expect(chiSquaredSigmas(possible ?? [], expected ?? [])).toBeLessThan(4)
    }
  })

  it.each([
    ['10 equal, idle', Array(10).fill(1), 1],
    ['10 equal, busy', Array(10).fill(1), 200],
    ['1,000 equal, busy', Array(1000).fill(1), 5000],
    ['10 weighted, idle', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 1],
    ['10 weighted, busy', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 500],
    ['heavy and light, lightly loaded', [100, 100, 100, 1, 1, 1], 6],
    ['two of 99 to 1, lightly loaded', [99, 1], 5],
    ['two of 99 to 1, busy', [99, 1], 1000],
  ])('shares are within 1 % of the weights: %s', (_title, weights, inFlight) => {
    const counts = [...countPicks(balancerOver(weights), picks, inFlight).values()]
    expect(worstShareError(counts, weights)).toBeLessThan(0.01)
  })

  it('keeps the longest queue exponentially shorter than one choice does', () => {
    const longest = (policy: Policy) => {
      const balancer = balancerOver(Array(1000).fill(1), policy)
      for (let count = 0; count < 1000; count++) balancer.pick()
      return Math.max(...balancer.endpoints.map(({ inFlight }) => inFlight))
    }
    // ln ln n / ln 2 + O(1) against ln n / ln ln n (1 + o(1)), n = 1,000.
    expect(longest(leastRequest())).toBeLessThanOrEqual(3)
    expect(longest(randomChoice())).toBeGreaterThanOrEqual(5)
  })

  it('sends a slow instance its fair load and no more', () => {
    // Service takes 1 tick, at the slow instance 10; 4 requests come each tick for 10 instances.
    const balancer = balancerOver(Array(10).fill(1))
    const ends: { at: number; endpoint: (typeof balancer.endpoints)[number] }[] = []
    let slowPicks = 0
    for (let tick = 0; tick < picks / 4; tick++) {
      for (let index = ends.length - 1; index >= 0; index--) {
        const end = ends[index]
        if (end === undefined || end.at > tick) continue
        balancer.done(end.endpoint, 'success')
        ends.splice(index, 1)
      }
      for (let request = 0; request < 4; request++) {
        const endpoint = balancer.pick()
        if (endpoint === undefined) throw new Error('nothing picked')
        const isSlow = endpoint.id === 'i-0000'
        if (isSlow) slowPicks++
        ends.push({ at: tick + (isSlow ? 10 : 1), endpoint })
      }
    }
    expect(slowPicks / picks).toBeLessThan(0.05)
    expect(slowPicks).toBeGreaterThan(0)
  })
})

describe('least-request by full scan, 100,000 picks', () => {
  it.each([
    ['equal, idle', [1, 1, 1, 1], 1],
    ['equal, busy', [1, 1, 1, 1], 50],
    ['weighted, idle', [1, 2, 3, 4], 1],
    ['weighted, busy', [1, 2, 3, 4], 100],
  ])('shares are within 1 % of the weights: %s', (_title, weights, inFlight) => {
    const counts = [...countPicks(balancerOver(weights, leastRequest()), picks, inFlight).values()]
    expect(worstShareError(counts, weights)).toBeLessThan(0.01)
  })

  it('finds the least loaded of all when the drawn one is busy', () => {
    const balancer = balancerOver([1, 1, 1, 1, 1, 1], leastRequest())
    for (const endpoint of balancer.endpoints) endpoint.inFlight = 5
    const idle = balancer.endpoints[3]
    if (idle === undefined) throw new Error('no endpoint')
    idle.inFlight = 0
    for (let count = 0; count < 4; count++) expect(balancer.pick()).toBe(idle)
  })
})
