import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../time/clock.ts'
import { Balancer } from '../balancer.ts'
import { policies, policyNames } from '../policies.ts'
import { randomChoice } from '../random/random.ts'
import { roundRobin } from '../round-robin/round-robin.ts'
import { policyContract } from '../testing/policy-contract.ts'
import { anIllInstance, anInstance, aSet, weightedSet } from '../testing/sets.ts'
import { countPicks } from '../testing/shares.ts'
import { slowStart } from './slow-start.ts'

policyContract('round-robin with a slow start', () => slowStart(roundRobin(), { rampMs: 1 }))

const equal = (count: number): number[] => Array<number>(count).fill(1)

function balancerOf(count: number): Balancer {
  const balancer = new Balancer(slowStart(randomChoice()), seededRandom(1))
  balancer.update(weightedSet(equal(count)))
  return balancer
}

function weights(balancer: Balancer): number[] {
  return balancer.endpoints.map(({ weight }) => weight)
}

describe('a slow start', () => {
  it('brings a new instance from a tenth of its weight to the whole within 30 s', () => {
    const balancer = balancerOf(19)
    balancer.update(weightedSet([...equal(19), 4], 2))
    const climb: number[] = []
    for (let second = 0; second <= 30; second++) {
      climb.push(balancer.endpoints[19]?.weight ?? 0)
      balancer.refresh(1000)
    }
    expect(climb[0]).toBeCloseTo(0.4, 9)
    expect(climb[15]).toBeCloseTo(4 * 0.55, 9)
    expect(climb[30]).toBe(4)
    expect([...climb].sort((a, b) => a - b)).toEqual(climb)
  })

  it('is not for the first set, nor for who comes back', () => {
    const balancer = balancerOf(2)
    expect(weights(balancer)).toEqual([1, 1])
    balancer.update(aSet([anInstance('i-0000'), anIllInstance('i-0001', 'tcp')], 2))
    balancer.update(weightedSet(equal(2), 3))
    expect(weights(balancer)).toEqual([1, 1])
  })

  it('is for a new run of an instance', () => {
    const balancer = balancerOf(20)
    const set = weightedSet(equal(20), 2)
    const instances = set.instances.map(each => (each.id === 'i-0003' ? { ...each, incarnation: 2 } : each))
    balancer.update({ ...set, instances })
    expect(weights(balancer)[3]).toBeCloseTo(0.1, 9)
  })

  it('begins higher where many are new: three must not carry seventeen', () => {
    const balancer = balancerOf(3)
    balancer.update(weightedSet(equal(20), 2))
    expect(weights(balancer)[19]).toBeCloseTo(17 / 20, 9)
  })

  it('goes on over set changes, and ends for who leaves', () => {
    const balancer = balancerOf(19)
    balancer.update(weightedSet(equal(20), 2))
    for (let second = 0; second < 15; second++) balancer.refresh(1000)
    balancer.update(weightedSet(equal(20), 3))
    expect(weights(balancer)[19]).toBeCloseTo(0.55, 9)
    balancer.update(weightedSet(equal(19), 4))
    expect(weights(balancer)).toEqual(equal(19))
  })

  it('leaves no trace with another policy', () => {
    const balancer = balancerOf(19)
    balancer.update(weightedSet(equal(20), 2))
    balancer.usePolicy(randomChoice())
    expect(weights(balancer)).toEqual(equal(20))
  })

  it.each(policyNames)('gives a new instance no more than the mean at any time: %s', name => {
    const balancer = new Balancer(slowStart(policies[name]()), seededRandom(1))
    balancer.update(weightedSet(equal(9)))
    countPicks(balancer, 1000, 9)
    balancer.update(weightedSet(equal(10), 2))
    let before = 0
    for (let second = 0; second < 32; second++) {
      const share = (countPicks(balancer, 5000, 30).get('i-0009') ?? 0) / 5000
      expect(share).toBeLessThan(0.1 * 1.15)
      if (second === 0) expect(share).toBeLessThan(0.03)
      before = share
      balancer.refresh(1000)
    }
    expect(before).toBeGreaterThan(0.085)
  })

  it('is off with a ramp of 0', () => {
    const policy = randomChoice()
    expect(slowStart(policy, { rampMs: 0 })).toBe(policy)
  })
})
