import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../time/clock.ts'
import { Balancer } from '../balancer.ts'
import type { Endpoint, Policy } from '../picker.ts'
import { anEndpoint } from './endpoint.ts'
import { anIllInstance, anInstance, aSet, weightedSet } from './sets.ts'
import { countPicks, worstShareError } from './shares.ts'

/** What every balancing policy owes, whatever it prefers: each policy's test runs it. */
export function policyContract(name: string, newPolicy: () => Policy): void {
  const balancerOver = (weights: readonly number[], seed = 1) => {
    const balancer = new Balancer(newPolicy(), seededRandom(seed))
    balancer.update(weightedSet(weights))
    return balancer
  }

  describe(`policy contract: ${name}`, () => {
    it('picks nothing from an empty set, before the first set and after', () => {
      const balancer = new Balancer(newPolicy(), seededRandom(1))
      expect(balancer.pick()).toBeUndefined()
      balancer.update(aSet([]))
      expect(balancer.pick()).toBeUndefined()
      expect(balancer.pick({ tried: [anEndpoint('stranger')] })).toBeUndefined()
      balancer.update(aSet([anInstance('a')], 2))
      expect(balancer.pick()?.id).toBe('a')
      balancer.update(aSet([], 3))
      expect(balancer.pick()).toBeUndefined()
    })

    it('picks the only instance, tried or not', () => {
      const balancer = balancerOver([3])
      const only = mustPick(balancer)
      expect(balancer.pick()).toBe(only)
      expect(balancer.pick({ tried: [only] })).toBe(only)
      expect(only.inFlight).toBe(3)
    })

    it.each([
      ['two equal', [1, 1]],
      ['ten equal', Array(10).fill(7)],
      ['mixed', [1, 2, 3, 4]],
      ['a zero among them', [0, 1, 3]],
      ['the extremes', [1_000_000, 1, 0]],
      ['fractions', [0.5, 0.25, 0.25]],
    ])('gives an idle service its shares by weight: %s', (_title, weights) => {
      const counts = [...countPicks(balancerOver(weights), 20_000).values()]
      expect(worstShareError(counts, weights)).toBeLessThan(0.015)
      for (const [index, weight] of weights.entries()) if (weight === 0) expect(counts[index]).toBe(0)
    })

    it('gives a busy service its shares by weight', () => {
      const weights = [1, 2, 3, 4, 10, 20]
      const counts = [...countPicks(balancerOver(weights), 20_000, 120).values()]
      expect(worstShareError(counts, weights)).toBeLessThan(0.015)
    })

    it('picks nothing when all weights are 0', () => {
      const balancer = balancerOver([0, 0])
      expect(balancer.pick()).toBeUndefined()
      expect(balancer.panic).toBe(false)
    })

    it('picks healthy instances alone, while there is one', () => {
      const balancer = new Balancer(newPolicy(), seededRandom(1))
      balancer.update(aSet([anIllInstance('a', 'tcp'), anInstance('b'), anIllInstance('c', 'draining')]))
      expect(countPicks(balancer, 100).get('b')).toBe(100)
    })

    it('fails open over all that are least bad', () => {
      const balancer = new Balancer(newPolicy(), seededRandom(1))
      balancer.update(
        aSet([
          anIllInstance('a', 'http'),
          anIllInstance('b', 'disconnected'),
          anIllInstance('c', 'operator'),
        ]),
      )
      const counts = countPicks(balancer, 1000)
      expect(balancer.panic).toBe(true)
      expect(worstShareError([...counts.values()], [1, 1, 0])).toBeLessThan(0.05)
    })

    it('keeps count over set changes between pick and done, and takes the done of one that left', () => {
      const balancer = balancerOver([1, 1, 1])
      const open = Array.from({ length: 300 }, () => mustPick(balancer))
      expect(open.filter(({ id }) => id === 'i-0000').length).toBeGreaterThan(50)
      balancer.update(weightedSet([1, 1, 1, 5], 2))
      const later = Array.from({ length: 300 }, () => mustPick(balancer))
      balancer.update(weightedSet([1], 3))
      for (const endpoint of [...open, ...later]) balancer.done(endpoint, 'success')
      expect(balancer.endpoints.map(({ inFlight }) => inFlight)).toEqual([0])
      expect(new Set([...open, ...later].map(({ inFlight }) => inFlight))).toEqual(new Set([0]))
      expect(balancer.pick()?.id).toBe('i-0000')
    })

    it('makes the same picks from the same seed', () => {
      const picks = (seed: number) => {
        const balancer = balancerOver([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], seed)
        return Array.from({ length: 200 }, () => mustPick(balancer).id)
      }
      expect(picks(5)).toEqual(picks(5))
      expect(picks(5)).not.toEqual(picks(6))
    })

    it.each([
      ['equal weights', [1, 1, 1, 1]],
      ['mixed weights', [1_000_000, 1, 10, 100]],
      ['many', Array.from({ length: 50 }, (_, index) => 1 + (index % 7))],
    ])(
      'avoids what was tried while another is left, and picks all the same when none is: %s',
      (_title, weights) => {
        const balancer = balancerOver(weights)
        for (let request = 0; request < 50; request++) {
          const tried: Endpoint[] = []
          for (let attempt = 0; attempt < weights.length; attempt++) {
            const picked = mustPick(balancer, tried)
            expect(tried).not.toContain(picked)
            tried.push(picked)
          }
          expect(tried).toContain(mustPick(balancer, tried))
        }
      },
    )

    it('gives nothing to weights that are none, and bears those that are absurd', () => {
      const weights = [Number.NaN, -1, 0, Number.POSITIVE_INFINITY, 1_000_000_000, 1]
      const counts = [...countPicks(balancerOver(weights), 1000).values()]
      expect(counts.slice(0, 4)).toEqual([0, 0, 0, 0])
      expect(counts[4]).toBeGreaterThan(900)
    })

    it('picks by key, of any length, whether it hashes or not', () => {
      const balancer = balancerOver([1, 2, 3])
      for (const hashKey of ['', 'user-42', '🙂', 'k'.repeat(1 << 20)]) {
        const picked = balancer.pick({ hashKey })
        if (picked === undefined) throw new Error('nothing to pick')
        const others = balancer.endpoints.filter(endpoint => endpoint !== picked)
        expect(others).toContain(balancer.pick({ hashKey, tried: [picked] }))
        expect(balancer.pick({ hashKey, tried: others })).toBe(picked)
        expect(balancer.endpoints).toContain(balancer.pick({ hashKey, tried: balancer.endpoints }))
      }
    })

    it('bears a done that comes twice, and one that never comes', () => {
      const balancer = balancerOver([1, 1, 1])
      const picked = mustPick(balancer)
      for (let time = 0; time < 3; time++) balancer.done(picked, 'success', 5)
      expect(balancer.endpoints.map(({ inFlight }) => inFlight)).toEqual([0, 0, 0])
      for (let pick = 0; pick < 3000; pick++) mustPick(balancer)
      for (const { inFlight } of balancer.endpoints) expect(inFlight).toBeGreaterThan(800)
    })

    it('goes on picking when all fail', () => {
      const balancer = balancerOver([1, 1, 1])
      for (let second = 0; second < 10; second++) {
        for (let pick = 0; pick < 100; pick++) balancer.done(mustPick(balancer), 'failure')
        balancer.refresh(1000)
      }
      const counts = [...countPicks(balancer, 3000).values()]
      expect(worstShareError(counts, [1, 1, 1])).toBeLessThan(0.05)
    })

    it('picks among 100,000', () => {
      const balancer = balancerOver(Array<number>(100_000).fill(1))
      const ids = Array.from({ length: 1000 }, (_, key) => balancer.pick({ hashKey: `user-${key}` })?.id)
      expect(new Set(ids).size).toBeGreaterThan(900)
    })

    it('bears strangers and repetitions among the tried', () => {
      const balancer = balancerOver([1, 2])
      const one = mustPick(balancer)
      const tried = [anEndpoint('stranger'), one, one, anEndpoint('stranger')]
      for (let count = 0; count < 20; count++) expect(mustPick(balancer, tried)).not.toBe(one)
    })
  })
}

function mustPick(balancer: Balancer, tried: readonly Endpoint[] = []): Endpoint {
  const picked = balancer.pick({ tried })
  if (picked === undefined) throw new Error('nothing to pick')
  return picked
}
