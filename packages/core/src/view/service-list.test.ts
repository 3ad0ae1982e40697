import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ServiceName } from '../instance/instance.ts'
import { orderedServices, patchedServices, serviceChanges } from './service-list.ts'

const name = fc.record({
  namespace: fc.constantFrom('default', 'a', 'B'),
  service: fc.constantFrom('order', 'Order', 'pay', 'a.b', 'z'),
})
const names = fc.array(name, { maxLength: 12 })
const keys = (list: readonly ServiceName[]) => list.map(({ namespace, service }) => `${namespace}/${service}`)

describe('lists of services', () => {
  test('are ordered by namespace, then name, and name each once', () => {
    const list = ['b/a', 'a/b', 'a/a', 'b/a'].map(key => {
      const [namespace = '', service = ''] = key.split('/')
      return { namespace, service }
    })
    expect(keys(orderedServices(list))).toEqual(['a/a', 'a/b', 'b/a'])
  })

  test('what changes between two makes the one of the other', () => {
    fc.assert(
      fc.property(names, names, (some, others) => {
        const before = orderedServices(some)
        const after = orderedServices(others)
        const changes = serviceChanges(before, after)
        expect(keys(patchedServices(before, changes))).toEqual(keys(after))
        expect(changes.put.every(one => !keys(before).includes(keys([one])[0] ?? ''))).toBe(true)
        expect(changes.gone.every(one => !keys(after).includes(keys([one])[0] ?? ''))).toBe(true)
      }),
    )
  })

  test('a patch puts and leaves out as sets do, and keeps the names that stay', () => {
    fc.assert(
      fc.property(names, names, names, (some, put, gone) => {
        const before = orderedServices(some)
        const after = patchedServices(before, { put, gone })
        const left = before.filter(one => !keys(gone).includes(keys([one])[0] ?? ''))
        expect(keys(after)).toEqual(keys(orderedServices([...left, ...put])))
        const kept = before.filter(one => keys(after).includes(keys([one])[0] ?? ''))
        expect(kept.every(one => after.includes(one))).toBe(true)
        if (keys(after).join() === keys(before).join()) expect(after).toBe(before)
      }),
    )
  })
})
