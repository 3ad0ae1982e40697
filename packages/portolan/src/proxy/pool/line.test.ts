import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Line, type Place } from './line.ts'

type Step = { readonly join: string } | { readonly leave: number } | { readonly older: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ join: fc.string({ minLength: 1, maxLength: 3 }) }),
  fc.record({ leave: fc.nat(20) }),
  fc.record({ older: fc.nat(30) }),
)

describe('a line', () => {
  it('keeps the order of arrival, whoever leaves from wherever', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => {
        const line = new Line<string>()
        const places: Place<string>[] = []
        let model: Place<string>[] = []
        let now = 0
        for (const each of steps) {
          if ('join' in each) {
            const place = line.join(each.join, now++)
            places.push(place)
            model.push(place)
          } else if ('leave' in each) {
            const place = places[each.leave]
            if (place !== undefined) line.leave(place)
            model = model.filter(other => other !== place)
          } else {
            const expected =
              (model[0]?.since ?? Number.POSITIVE_INFINITY) <= each.older ? model.shift() : undefined
            expect(line.takeOlder(each.older)).toBe(expected?.waiter)
          }
          expect(line.size).toBe(model.length)
          expect(line.first).toBe(model[0])
        }
        const left: string[] = []
        for (let first = line.first; first !== undefined; first = line.first) {
          left.push(first.waiter)
          line.leave(first)
        }
        expect(left).toEqual(model.map(({ waiter }) => waiter))
      }),
    )
  })
})
