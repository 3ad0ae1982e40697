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

  it('says when the last pick of an instance is done that drains or has left, and of no other', () => {
    const idle: string[] = []
    const balancer = new Balancer(firstOfAll, seededRandom(1), ({ id, incarnation }) =>
      idle.push(`${id}@${incarnation}`),
    )
    const pick = () => balancer.pick() ?? expect.fail('nothing picked')
    const run = (incarnation: number) => ({ id: 'a', incarnation })
    balancer.update(aSet([anInstance('a')]))
    const [first, second, third] = [pick(), pick(), pick()]
    balancer.done(first, 'success')
    expect(balancer.inFlight(run(1))).toBe(2)

    balancer.update(aSet([anIllInstance('a', 'draining'), anInstance('b')], 2))
    balancer.done(second, 'failure')
    expect(idle).toEqual([])
    balancer.done(third, 'success')
    balancer.done(third, 'success')
    expect(idle).toEqual(['a@1'])
    expect(balancer.inFlight(run(1))).toBe(0)

    balancer.update(aSet([anInstance('a')], 3))
    balancer.done(pick(), 'success')
    expect(idle).toEqual(['a@1'])
  })

  it('counts what is under way to earlier runs of an instance, and to one that left and came back', () => {
    const idle: string[] = []
    const balancer = new Balancer(firstOfAll, seededRandom(1), ({ id }) => idle.push(id))
    const pick = () => balancer.pick() ?? expect.fail('nothing picked')
    balancer.update(aSet([anInstance('a')]))
    const first = pick()
    balancer.update(aSet([], 2))
    balancer.update(aSet([anInstance('a')], 3))
    const second = pick()
    balancer.update(aSet([anInstance('a', { incarnation: 4 })], 4))
    const third = pick()
    expect([1, 4].map(incarnation => balancer.inFlight({ id: 'a', incarnation }))).toEqual([2, 3])
    expect(balancer.inFlight({ id: 'b', incarnation: 9 })).toBe(0)
    balancer.done(first, 'success')
    balancer.done(second, 'success')
    balancer.done(third, 'success')
    expect(balancer.inFlight({ id: 'a', incarnation: 4 })).toBe(0)
    expect(idle).toEqual(['a', 'a'])
  })

  it('lets those be claimed that may be picked, and nobody else', () => {
    const balancer = new Balancer(policyByName('ring-hash'), seededRandom(1))
    balancer.update(aSet([anInstance('a'), anIllInstance('b', 'http'), anInstance('c', { weight: 0 })]))
    const [a, b, c] = balancer.endpoints
    if (a === undefined || b === undefined || c === undefined) throw new Error('three come in')
    expect([a, b, c].map(endpoint => balancer.claim(endpoint))).toEqual([true, false, false])
    expect([a, b, c].map(({ inFlight }) => inFlight)).toEqual([1, 0, 0])
    balancer.update(aSet([anIllInstance('b', 'http')], 2))
    expect([a, b].map(endpoint => balancer.claim(endpoint))).toEqual([false, true])
    balancer.done(a, 'success')
    balancer.done(b, 'success')
    expect([a, b].map(({ inFlight }) => inFlight)).toEqual([0, 0])
  })

  it('goes over to another policy with the loads that it has', () => {
    const balancer = new Balancer(firstOfAll, seededRandom(1))
    balancer.update(aSet([anInstance('a'), anInstance('b')]))
    expect(balancer.pick()?.id).toBe('a')
    balancer.usePolicy(policyByName('least-request'))
    expect(balancer.pick()?.id).toBe('b')
    expect(balancer.endpoints.map(({ inFlight }) => inFlight)).toEqual([1, 1])
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
