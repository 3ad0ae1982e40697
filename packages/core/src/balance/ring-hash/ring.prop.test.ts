import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hash32 } from '../hashing/hash.ts'
import { type Placed, Ring } from './ring.ts'

const weight = fc.oneof(
  fc.constantFrom(1, 1, 1, 2, 5),
  fc.double({ min: 0.001, max: 1_000_000, noNaN: true }),
)
const members = fc.uniqueArray(fc.record({ id: fc.string({ maxLength: 6 }), weight }), {
  selector: ({ id }) => id,
  maxLength: 12,
})

/** Who owns each of these keys: ids instead of slots. */
function owners(ring: Ring, placed: readonly Placed[], keys: number): (string | undefined)[] {
  const byId = new Map(placed.map(({ id }) => [ring.slotOf(id), id]))
  return Array.from({ length: keys }, (_, key) => byId.get(ring.slotAt(ring.placeOf(hash32(`key-${key}`)))))
}

describe('a ring', () => {
  it('is the same whatever was on it before', () => {
    fc.assert(
      fc.property(fc.array(members, { minLength: 1, maxLength: 4 }), steps => {
        let ring = Ring.empty()
        for (const placed of steps) ring = ring.changed(placed)
        const last = steps.at(-1) ?? []
        const anew = Ring.empty().changed(last)
        expect(ring.size).toBe(anew.size)
        if (last.length > 0) expect(owners(ring, last, 100)).toEqual(owners(anew, last, 100))
      }),
      { numRuns: 60 },
    )
  })

  it('gives its members all keys, and nobody else any', () => {
    fc.assert(
      fc.property(members, members, (before, placed) => {
        fc.pre(placed.length > 0)
        const ring = Ring.empty().changed(before).changed(placed)
        expect(owners(ring, placed, 50)).not.toContain(undefined)
        const arcs = ring.arcs()
        const mine = placed.map(({ id }) => arcs[ring.slotOf(id) ?? -1] ?? 0)
        expect(mine.reduce((sum, arc) => sum + arc, 0)).toBeCloseTo(1, 9)
        for (const { id } of before) {
          if (!placed.some(each => each.id === id)) expect(ring.slotOf(id)).toBeUndefined()
        }
      }),
      { numRuns: 60 },
    )
  })
})
