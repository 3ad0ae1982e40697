import { isHealthy } from '@portolan/core'
import { describe, expect, test } from 'vitest'
import { instanceOf } from '../testing/scripted-registry.ts'
import { localSet, nextReturn, noOutliers, stillThere, struck, vindicated } from './outliers.ts'

const order1 = instanceOf('order', 'order-1')
const order2 = instanceOf('order', 'order-2')
const set = {
  namespace: 'default',
  service: 'order',
  cursor: { epoch: 'e', revision: 7 },
  instances: [order1, order2],
}
const healthy = (of: typeof set) => of.instances.filter(isHealthy).map(({ id }) => id)

describe('local outliers', () => {
  test('one refused connection takes an instance out for a second, then twice as long', () => {
    const once = struck(noOutliers, order1, true, 0)
    expect(healthy(localSet(set, once, 999) as typeof set)).toEqual(['order-2'])
    expect(localSet(set, once, 1000)).toBe(set)
    const twice = struck(once, order1, true, 1000)
    expect(nextReturn(twice, 1000)).toBe(3000)
  })

  test('broken connections count when three come without a success between', () => {
    let outliers = struck(noOutliers, order1, false, 0)
    outliers = struck(outliers, order1, false, 1)
    expect(localSet(set, outliers, 2)).toBe(set)
    expect(healthy(localSet(set, struck(outliers, order1, false, 2), 3) as typeof set)).toEqual(['order-2'])
    expect(localSet(set, struck(vindicated(outliers, 'order-1'), order1, false, 2), 3)).toBe(set)
  })

  test('failures while it is out change nothing', () => {
    const once = struck(noOutliers, order1, true, 0)
    expect(struck(once, order1, true, 500)).toBe(once)
  })

  test('the revision stays the registry’s, and the registry’s own set untouched', () => {
    const local = localSet(set, struck(noOutliers, order1, true, 0), 1)
    expect(local.cursor).toEqual(set.cursor)
    expect(order1.causes).toEqual([])
  })

  test('a new incarnation starts without a record, and those who left are forgotten', () => {
    const out = struck(struck(noOutliers, order1, true, 0), order2, true, 0)
    const restarted = { ...set, instances: [{ ...order1, incarnation: 2 }] }
    expect(localSet(restarted, out, 1)).toBe(restarted)
    expect(stillThere(out, restarted).size).toBe(0)
  })
})
