import { describe, expect, it } from 'vitest'
import { seededRandom } from '../time/clock.ts'
import { Balancer } from './balancer.ts'
import type { Policy } from './picker.ts'
import { policyByName, policyNames } from './policies.ts'
import { anIllInstance, anInstance, aSet } from './testing/sets.ts'

const firstOfAll: Policy = endpoints => ({ pick: () => endpoints[0] })

describe('Balancer', () => {
  it.each(policyNames)('picks from the newest set and counts what is in flight: %s', name => {
    const balancer = new Balancer(policyByName(name), seededRandom(1))
    expect(balancer.pick()).toBeUndefined()
    expect(balancer.set).toBeUndefined()

    const set = aSet([anInstance('a'), anInstance('b')])
    balancer.update(set)
    expect(balancer.set).toBe(set)
    const picked = balancer.pick()
    expect(picked?.inFlight).toBe(1)
    if (picked !== undefined) balancer.done(picked, 'success')
    expect(balancer.endpoints.map(({ id, inFlight }) => [id, inFlight])).toEqual([
      ['a', 0],
      ['b', 0],
    ])
  })

  it('keeps records over set changes, and starts anew with a new incarnation', () => {
    const balancer = new Balancer(firstOfAll, seededRandom(1))
    balancer.update(aSet([anInstance('a')]))
    const old = balancer.pick()
    balancer.update(aSet([anInstance('a', { weight: 5 })], 2))
    expect(balancer.endpoints[0]).toBe(old)
    expect(old).toMatchObject({ weight: 5, inFlight: 1, instance: { weight: 5 } })

    balancer.update(aSet([anInstance('a', { incarnation: 2 })], 3))
    expect(balancer.endpoints[0]).not.toBe(old)
    expect(balancer.endpoints[0]?.inFlight).toBe(0)
    if (old !== undefined) balancer.done(old, 'failure')
    expect(old?.inFlight).toBe(0)
    expect(balancer.endpoints[0]?.inFlight).toBe(0)
  })

  it('never counts below zero', () => {
    const balancer = new Balancer(firstOfAll, seededRandom(1))
    balancer.update(aSet([anInstance('a')]))
    const picked = balancer.pick()
    if (picked === undefined) throw new Error('nothing picked')
    balancer.done(picked, 'success')
    balancer.done(picked, 'cancelled')
    expect(picked.inFlight).toBe(0)
  })

  it('fails open when every instance carries a cause, says so, and comes back by itself', () => {
    const balancer = new Balancer(policyByName('random'), seededRandom(1))
    balancer.update(aSet([anIllInstance('a', 'http'), anIllInstance('b', 'operator')]))
    expect(balancer.panic).toBe(true)
    expect(balancer.pick()?.id).toBe('a')
    balancer.update(aSet([anIllInstance('a', 'http'), anInstance('b')], 2))
    expect(balancer.panic).toBe(false)
    expect(balancer.pick()?.id).toBe('b')
  })
})
