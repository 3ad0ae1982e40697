import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../time/clock.ts'
import { Balancer } from '../balancer.ts'
import type { Endpoint } from '../picker.ts'
import { weightedSet } from '../testing/sets.ts'
import { worstShareError } from '../testing/shares.ts'
import { zoneFirst } from '../zones/zones.ts'
import { Ring } from './ring.ts'
import { ringHash } from './ring-hash.ts'

const equal = (count: number): number[] => Array<number>(count).fill(1)

function balancerOf(weights: readonly number[], bound = Number.POSITIVE_INFINITY, chance = 0): Balancer {
  const balancer = new Balancer(ringHash({ bound, chance }), seededRandom(1))
  balancer.update(weightedSet(weights))
  return balancer
}

/** Whom each of so many keys leads to, nothing being in flight. */
function homes(balancer: Balancer, keys: number): (string | undefined)[] {
  return Array.from({ length: keys }, (_, key) => {
    const picked = balancer.pick({ hashKey: `user-${key}` })
    if (picked !== undefined) balancer.done(picked, 'success')
    return picked?.id
  })
}

describe('ring-hash', () => {
  it('sends equal keys to the same instance, in every process', () => {
    const [one, other] = [balancerOf(equal(20)), balancerOf(equal(20))]
    const keys = homes(one, 500)
    expect(homes(one, 500)).toEqual(keys)
    expect(homes(other, 500)).toEqual(keys)
    expect(new Set(keys).size).toBe(20)
  })

  it.each([
    ['100 equal ones', equal(100), [...equal(100), 1], 101],
    ['100 of four weights', Array.from({ length: 100 }, (_, i) => 1 + (i % 4)), undefined, 101],
  ])('moves few keys when one joins %s, all of them to it', (_title, before, after, count) => {
    const balancer = balancerOf(before)
    const was = homes(balancer, 50_000)
    balancer.update(weightedSet(after ?? [...before, 2.5], 2))
    const is = homes(balancer, 50_000)
    const moved = is.filter((id, key) => id !== was[key])
    expect(new Set(moved)).toEqual(new Set([`i-${String(count - 1).padStart(4, '0')}`]))
    expect(moved.length / 50_000).toBeLessThanOrEqual(1.2 / count)
  })

  it('counts what was claimed as in flight, where it bounds by that', () => {
    const balancer = balancerOf(equal(2), 1)
    const [one, other] = balancer.endpoints
    if (one === undefined || other === undefined) throw new Error('two come in')
    // One at each: the next may go to either. Four more at one of them: the other gets whatever comes, up to as many.
    for (const endpoint of [one, other, one, one, one]) expect(balancer.claim(endpoint)).toBe(true)
    const picked = Array.from({ length: 3 }, (_, key) => balancer.pick({ hashKey: `user-${key}` }))
    expect(new Set(picked)).toEqual(new Set([other]))
  })

  it('gives the keys of one that left to the others, and moves no other', () => {
    const balancer = balancerOf(equal(10))
    const was = homes(balancer, 20_000)
    balancer.update(weightedSet(equal(9), 2))
    const is = homes(balancer, 20_000)
    for (const [key, id] of was.entries()) if (id !== 'i-0009') expect(is[key]).toBe(id)
  })

  it.each([
    ['10 equal', equal(10), 0.05],
    ['1,000 equal', equal(1000), 0.01],
    ['mixed', [1, 2, 3, 4], 0.05],
  ])('spreads 100,000 keys as its arcs say, and those near the weights: %s', (_title, weights, far) => {
    const balancer = balancerOf(weights)
    const ring = Ring.empty().changed(balancer.endpoints)
    const arcs = ring.arcs()
    const expected = balancer.endpoints.map(({ id }) => arcs[ring.slotOf(id) ?? 0] ?? 0)
    const counts = new Map(balancer.endpoints.map(({ id }) => [id as string | undefined, 0]))
    for (const id of homes(balancer, 100_000)) counts.set(id, (counts.get(id) ?? 0) + 1)
    expect(worstShareError([...counts.values()], expected)).toBeLessThan(0.01)
    expect(worstShareError([...counts.values()], weights)).toBeLessThan(far)
  })

  it.each([
    ['equal', equal(10), 1000],
    ['mixed', [1, 2, 3, 4, 10, 20], 400],
    ['one key for all', equal(10), 1],
  ])('gives nobody more than 1.25 times its share of what is in flight: %s', (_title, weights, keys) => {
    const balancer = balancerOf(weights, 1.25)
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    const random = seededRandom(3)
    const open: Endpoint[] = []
    for (let request = 0; request < 5000; request++) {
      const picked = balancer.pick({ hashKey: `user-${Math.floor(random() ** 3 * keys)}` })
      if (picked === undefined) throw new Error('nothing to pick')
      open.push(picked)
      const most = Math.ceil((1.25 * open.length * picked.weight) / total)
      expect(picked.inFlight).toBeLessThanOrEqual(most)
      if (open.length < 300) continue
      const [ended] = open.splice(Math.floor(random() * open.length), 1)
      if (ended !== undefined) balancer.done(ended, 'success')
    }
  })

  it.each([
    [4, 8],
    [16, 8],
    [64, 8],
    [500, 10],
  ])('hardly ever sends a key astray at an even load: %i in flight, %i instances', (inFlight, count) => {
    const balancer = balancerOf(equal(count), 1.25, 3)
    const home = new Map<string, string>()
    const keys = homes(balancer, 300)
    for (const [key, id] of keys.entries()) home.set(`user-${key}`, id ?? '')
    const random = seededRandom(7)
    const open: Endpoint[] = []
    let astray = 0
    for (let request = 0; request < 20_000; request++) {
      const hashKey = `user-${Math.floor(random() * 300)}`
      const picked = balancer.pick({ hashKey })
      if (picked === undefined) throw new Error('nothing to pick')
      if (picked.id !== home.get(hashKey)) astray++
      open.push(picked)
      if (open.length < inFlight) continue
      const [ended] = open.splice(Math.floor(random() * open.length), 1)
      if (ended !== undefined) balancer.done(ended, 'success')
    }
    expect(astray / 20_000).toBeLessThan(0.02)
  })

  it('spills what a hot key makes beyond chance, at whatever load', () => {
    for (const inFlight of [8, 30, 300, 3000]) {
      const balancer = balancerOf(equal(10), 1.25, 3)
      const open = Array.from({ length: inFlight }, () => balancer.pick({ hashKey: 'hot' }))
      const most = Math.max(...open.map(each => each?.inFlight ?? 0))
      const share = inFlight / 10
      expect(most).toBeLessThanOrEqual(Math.max(1.25 * share, share + 3 * Math.sqrt(share) + 1) + 1)
    }
  })

  it('knows what is in flight over set changes, and forgets what has left', () => {
    const balancer = balancerOf(equal(4), 1.25)
    const open = Array.from({ length: 40 }, (_, key) => balancer.pick({ hashKey: `user-${key}` }))
    balancer.update(weightedSet(equal(2), 2))
    for (const endpoint of open) if (endpoint !== undefined) balancer.done(endpoint, 'success')
    expect(balancer.endpoints.map(({ inFlight }) => inFlight)).toEqual([0, 0])
    // With nothing in flight, each key goes home: two of one key are more than 1.25 of its share of two.
    const [home, next] = [balancer.pick({ hashKey: 'a' }), balancer.pick({ hashKey: 'a' })]
    expect(home?.id).not.toBe(undefined)
    expect([home?.inFlight, next?.inFlight]).toEqual(home === next ? [2, 2] : [1, 1])
  })

  it('counts no pick that a retry passed over, zones or not', () => {
    const policy = zoneFirst(() => ringHash({ chance: 0 }), 'a')
    const balancer = new Balancer(policy, seededRandom(1))
    const { instances, ...set } = weightedSet(equal(4))
    balancer.update({ ...set, instances: instances.map((each, i) => ({ ...each, zone: i < 2 ? 'a' : 'b' })) })
    const near = balancer.endpoints.filter(({ instance }) => instance.zone === 'a')
    for (let retry = 0; retry < 1000; retry++) {
      const picked = balancer.pick({ hashKey: 'k', tried: near })
      if (picked !== undefined) balancer.done(picked, 'success')
    }
    for (let pick = 0; pick < 10; pick++) balancer.pick({ hashKey: 'k' })
    expect(Math.max(...near.map(({ inFlight }) => inFlight))).toBeLessThanOrEqual(7)
  })

  it('tries another for a key whose instance was tried, the same one each time', () => {
    const balancer = balancerOf(equal(10))
    const home = balancer.pick({ hashKey: 'a' })
    if (home === undefined) throw new Error('nothing to pick')
    const second = balancer.pick({ hashKey: 'a', tried: [home] })
    expect(second).not.toBe(home)
    expect(balancer.pick({ hashKey: 'a', tried: [home] })).toBe(second)
  })

  it('takes a key of a megabyte', () => {
    expect(balancerOf(equal(10)).pick({ hashKey: 'k'.repeat(1 << 20) })).toBeDefined()
  })

  it('has fewer nodes each when there are very many, and finds everybody', () => {
    const placed = Array.from({ length: 100_000 }, (_, i) => ({ id: `i-${i}`, weight: 1 }))
    const ring = Ring.empty().changed(placed)
    expect(ring.size).toBe(500_000)
    const one = placed[99_999] as (typeof placed)[number]
    expect(ring.slotOf(one.id)).toBeDefined()
  })
})
