import { emptySet, type InstanceSet } from '@portolan/core'
import { expect, it } from 'vitest'
import { instanceOf } from '../../proxy/testing/static-resolver.ts'
import { Branches } from './branches.ts'

function setOf(service: string, namespace = 'default', ...zones: readonly string[]): InstanceSet {
  const instances = zones.map((zone, index) => instanceOf(service, `i-${index}`, 80, { namespace, zone }))
  return { ...emptySet({ namespace, service }), instances }
}

function branchesOf(...sets: readonly InstanceSet[]): Branches {
  const branches = new Branches()
  for (const set of sets) branches.put(set)
  return branches
}

it.each([
  [
    'a zone',
    setOf('order', 'default', 'zone-a'),
    ['zone-a', 'zone-a.default.ns', 'default.ns'],
    ['order', 'a'],
  ],
  ['a zone with dots', setOf('order', 'default', 'EU.Zone-A'), ['eu.zone-a', 'zone-a'], ['eu', 'EU.Zone-A']],
  ['a namespace', setOf('order', 'Staging'), ['staging.ns'], ['staging', 'order.staging.ns']],
  ['a zone in a namespace', setOf('order', 'staging', 'z'), ['z.staging.ns', 'staging.ns'], ['z']],
  ['a service with dots', setOf('api.Order.shop'), ['order.shop', 'shop'], ['api.order.shop', 'api']],
  ['both', setOf('api.cart', 'default', 'z'), ['cart.z', 'cart', 'z'], ['api.cart.z', 'api.z']],
  ['a plain service', setOf('order'), ['default.ns'], ['order', 'order.default.ns', '']],
])('%s', (_, set, above, others) => {
  const branches = branchesOf(set)
  expect(above.filter(name => !branches.has(name))).toEqual([])
  expect(others.filter(name => branches.has(name))).toEqual([])
})

it('knows a branch for as long as one service has it', () => {
  const branches = branchesOf(setOf('order', 'default', 'a'), setOf('cart', 'default', 'a', 'b'))
  branches.put(setOf('order', 'default', 'c'))
  expect(['a', 'b', 'c'].map(zone => branches.has(zone))).toEqual([true, true, true])
  branches.drop({ namespace: 'default', service: 'cart' })
  expect(['a', 'b', 'c'].map(zone => branches.has(zone))).toEqual([false, false, true])
})
