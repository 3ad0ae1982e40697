import { seededRandom } from '@portolan/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Ending, patienceOf, rotate, startRotation } from './rotation.ts'

const half = () => 0.5

describe('rotation', () => {
  test('starts anywhere', () => {
    const random = seededRandom(1)
    const starts = new Set(Array.from({ length: 100 }, () => startRotation(3, random).next))
    expect(starts).toEqual(new Set([0, 1, 2]))
  })

  test('goes round all registries before the pause grows', () => {
    let rotation = startRotation(3, () => 0)
    const pauses: number[] = []
    const order: number[] = []
    for (let step = 0; step < 9; step++) {
      order.push(rotation.next)
      const next = rotate(rotation, { kind: 'failed' }, half)
      rotation = next.rotation
      pauses.push(next.pauseMs)
    }
    expect(order).toEqual([0, 1, 2, 0, 1, 2, 0, 1, 2])
    expect(pauses).toEqual([37.5, 37.5, 37.5, 75, 75, 75, 150, 150, 150])
  })

  test('begins anew after a connection that stood', () => {
    const tired = { size: 1, next: 0, failures: 9, late: 3 }
    expect(rotate(tired, { kind: 'lost', upMs: 60_000 }, half)).toEqual({
      rotation: { size: 1, next: 0, failures: 0, late: 0 },
      pauseMs: 25,
    })
  })

  test('counts a connection that fell at once as a failure', () => {
    const { rotation } = rotate({ size: 1, next: 0, failures: 3, late: 0 }, { kind: 'lost', upMs: 10 }, half)
    expect(rotation.failures).toBe(4)
  })

  test('waits longer for registries that do not answer in time, and as before for one that answers or is gone', () => {
    let rotation = startRotation(2, () => 0)
    const after = (ending: Ending) => {
      rotation = rotate(rotation, ending, half).rotation
      return patienceOf(rotation, 2000).answerMs
    }
    const late: Ending = { kind: 'failed', late: true }
    expect(patienceOf(rotation, 2000)).toEqual({ connectMs: 2000, answerMs: 2000 })
    expect(patienceOf(startRotation(1, half), 2000)).toEqual({ connectMs: 2000, answerMs: 8000 })
    expect(Array.from({ length: 9 }, () => after(late))).toEqual([
      2000, 4000, 4000, 8000, 8000, 16_000, 16_000, 16_000, 16_000,
    ])
    expect(after({ kind: 'lost', upMs: 10 })).toBe(16_000)
    expect(after({ kind: 'failed' })).toBe(2000)
    after(late)
    after(late)
    expect(after({ kind: 'lost', upMs: 60_000 })).toBe(2000)
  })

  test('whatever happens, the next one exists and the pause is at most 2 s, or 5 s after a connection that fell', () => {
    const ending: fc.Arbitrary<Ending> = fc.oneof(
      fc.constant<Ending>({ kind: 'failed' }),
      fc.nat(100_000).map((upMs): Ending => ({ kind: 'lost', upMs })),
    )
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.array(ending, { maxLength: 200 }),
        fc.nat(),
        (size, endings, seed) => {
          const random = seededRandom(seed)
          let rotation = startRotation(size, random)
          for (const each of endings) {
            const before = rotation.next
            const step = rotate(rotation, each, random)
            rotation = step.rotation
            expect(rotation.next).toBe((before + 1) % size)
            expect(step.pauseMs).toBeGreaterThanOrEqual(0)
            expect(step.pauseMs).toBeLessThanOrEqual(each.kind === 'lost' ? 5000 : 2000)
          }
        },
      ),
    )
  })
})
