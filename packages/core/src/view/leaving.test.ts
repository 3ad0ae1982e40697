import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { planLeaving } from './leaving.ts'

describe('planLeaving', () => {
  it('lets at most a fifth leave in a step, the last after 7.5 s', () => {
    const ids = Array.from({ length: 10 }, (_, index) => `i-${index}`)
    expect(planLeaving(ids, 10, 1000).map(({ at }) => at)).toEqual([
      2500, 2500, 4000, 4000, 5500, 5500, 7000, 7000, 8500, 8500,
    ])
    expect(planLeaving(['a'], 1, 0)).toEqual([{ id: 'a', at: 7500 }])
    expect(planLeaving([], 10, 0)).toEqual([])
  })

  it('is in steps of a fifth or of one, in order, within 7.5 s, for any size', () => {
    fc.assert(
      fc.property(fc.nat(300), fc.nat(300), fc.nat(1e6), (size, some, now) => {
        const ids = Array.from({ length: Math.min(size, some) }, (_, index) => String(index))
        const plan = planLeaving(ids, size, now)
        expect(plan.map(({ id }) => id)).toEqual(ids)
        const perTime = new Map<number, number>()
        let last = now
        for (const { at } of plan) {
          expect(at).toBeGreaterThanOrEqual(last)
          expect(at).toBeLessThanOrEqual(now + 7500)
          last = at
          perTime.set(at, (perTime.get(at) ?? 0) + 1)
        }
        for (const count of perTime.values()) expect(count).toBeLessThanOrEqual(Math.max(1, size / 5))
      }),
    )
  })
})
