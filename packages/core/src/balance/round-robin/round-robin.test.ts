import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../time/clock.ts'
import { Balancer } from '../balancer.ts'
import { policyContract } from '../testing/policy-contract.ts'
import { weightedSet } from '../testing/sets.ts'
import { roundRobin } from './round-robin.ts'

function balancerOver(weights: readonly number[], seed = 1): Balancer {
  const balancer = new Balancer(roundRobin(), seededRandom(seed))
  balancer.update(weightedSet(weights))
  return balancer
}

function turns(balancer: Balancer, count: number): string[] {
  return Array.from({ length: count }, () => balancer.pick()?.id.slice(-1) ?? '')
}

policyContract('round-robin', roundRobin)

describe('roundRobin', () => {
  it('gives equal weights the same order, round after round', () => {
    const balancer = balancerOver([1, 1, 1, 1])
    const round = turns(balancer, 4)
    expect([...round].sort()).toEqual(['0', '1', '2', '3'])
    expect(turns(balancer, 8)).toEqual([...round, ...round])
  })

  it('starts anywhere, so that callers do not walk in step', () => {
    const starts = Array.from({ length: 40 }, (_, seed) => turns(balancerOver([1, 1, 1, 1], seed), 1)[0])
    expect(new Set(starts).size).toBe(4)
    const weighted = Array.from({ length: 40 }, (_, seed) => turns(balancerOver([2, 1, 1, 2], seed), 1)[0])
    expect(new Set(weighted).size).toBe(4)
  })

  it('goes on where it was when the set changes but the members do not', () => {
    for (const weights of [
      [1, 1, 1, 1, 1],
      [5, 1, 2, 2, 1],
    ]) {
      const still = balancerOver(weights)
      const changing = balancerOver(weights)
      const expected = turns(still, 60)
      const seen: string[] = []
      for (let revision = 2; seen.length < 60; revision++) {
        seen.push(...turns(changing, 3))
        changing.update(weightedSet(weights, revision))
      }
      expect(seen).toEqual(expected)
    }
  })

  it('stays fair when the set changes after every pick', () => {
    const balancer = balancerOver([1, 1, 1, 1])
    const counts = new Map<string, number>()
    for (let revision = 2; revision < 402; revision++) {
      for (const id of turns(balancer, 1)) counts.set(id, (counts.get(id) ?? 0) + 1)
      // A fifth member that comes and goes, and never gets its turn.
      balancer.update(weightedSet(revision % 2 === 0 ? [1, 1, 1, 1] : [1, 1, 1, 1, 0], revision))
    }
    expect([...counts.values()]).toEqual([100, 100, 100, 100])
  })

  it('keeps turns when equal weights become unequal and back', () => {
    const balancer = balancerOver([1, 1, 1])
    const [first] = turns(balancer, 1)
    balancer.update(weightedSet([1, 1, 2], 2))
    balancer.update(weightedSet([1, 1, 1], 3))
    const rest = turns(balancer, 2)
    expect(new Set([first, ...rest]).size).toBe(3)
  })

  it.each([
    ['equal', [1, 1, 1]],
    ['mixed', [3, 2, 1]],
  ])('keeps the turn of a tried endpoint for the next request: %s weights', (_title, weights) => {
    const balancer = balancerOver(weights)
    const counts = new Map(balancer.endpoints.map(({ id }) => [id, 0]))
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    for (let request = 0; request < total * 100; request++) {
      const tried = request % 3 === 0 ? balancer.endpoints.slice(0, 1) : []
      const picked = balancer.pick({ tried })
      if (picked !== undefined) counts.set(picked.id, (counts.get(picked.id) ?? 0) + 1)
    }
    const shares = [...counts.values()].map(count => count / 100)
    for (const [index, share] of shares.entries())
      expect(Math.abs(share - (weights[index] ?? 0))).toBeLessThan(0.1)
  })
})
