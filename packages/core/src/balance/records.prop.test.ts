import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Endpoint } from './picker.ts'
import { Records } from './records.ts'
import { anIllInstance, anInstance, aSet } from './testing/sets.ts'

/** A set: by id, the run and the weight of each instance in it; `null` = it is not there. */
const states = fc.array(
  fc.option(
    fc.record({
      incarnation: fc.integer({ min: 1, max: 2 }),
      weight: fc.integer({ min: 1, max: 3 }),
      draining: fc.boolean(),
    }),
  ),
  { minLength: 6, maxLength: 6 },
)

it('are one for each run of an instance, whatever comes and goes', () => {
  fc.assert(
    fc.property(fc.array(states, { minLength: 1, maxLength: 8 }), sets => {
      const records = new Records()
      const known = new Map<string, Endpoint>()
      for (const state of sets) {
        const instances = state.flatMap((each, index) => {
          if (each === null) return []
          const { draining, ...described } = each
          const id = `i-${index}`
          return [{ ...(draining ? anIllInstance(id, 'draining') : anInstance(id)), ...described }]
        })
        const left: Endpoint[] = []
        records.update(aSet(instances).instances, endpoint => left.push(endpoint))

        expect(records.all.map(({ instance }) => instance)).toEqual(instances)
        const expectedToLeave = [...known.values()].filter(
          ({ id, instance }) =>
            !instances.some(each => each.id === id && each.incarnation === instance.incarnation),
        )
        expect(new Set(left)).toEqual(new Set(expectedToLeave))
        expect(left).toHaveLength(expectedToLeave.length)
        for (const endpoint of left) known.delete(endpoint.id)
        for (const endpoint of records.all) {
          const { id, weight, leaving, instance } = endpoint
          expect(known.get(id) ?? endpoint).toBe(endpoint)
          expect(records.of(id)).toBe(endpoint)
          expect({ weight, leaving }).toEqual({
            weight: instance.weight,
            leaving: instance.causes.length > 0,
          })
          known.set(id, endpoint)
        }
        expect(known.size).toBe(instances.length)
      }
    }),
  )
})
