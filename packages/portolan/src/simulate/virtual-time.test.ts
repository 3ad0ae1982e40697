import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { VirtualTime } from './virtual-time.ts'

describe('virtual time', () => {
  it('lets everything happen in order, and what is planned for one moment as it was planned', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 })), moments => {
        const time = new VirtualTime()
        const seen: [number, number][] = []
        for (const [index, at] of moments.entries()) time.plan(at, { happen: now => seen.push([now, index]) })
        time.runUntil(20)
        const expected = [...moments.entries()].map(([index, at]) => [at, index] as [number, number])
        expected.sort(([a, i], [b, j]) => a - b || i - j)
        expect(seen).toEqual(expected)
        expect(time.pending).toBe(0)
      }),
    )
  })

  it('takes in what follows from what happens, and leaves what comes later', () => {
    const time = new VirtualTime()
    const seen: number[] = []
    const again = {
      happen(now: number) {
        seen.push(now)
        time.plan(now + 10, again)
      },
    }
    time.plan(5, again)
    time.runUntil(30)
    expect(seen).toEqual([5, 15, 25])
    expect(time.now()).toBe(30)
    expect(time.pending).toBe(1)
  })

  it('never goes back', () => {
    const time = new VirtualTime()
    time.runUntil(10)
    let at = -1
    time.plan(3, {
      happen(now) {
        at = now
      },
    })
    time.runUntil(5)
    expect(at).toBe(-1)
    expect(time.now()).toBe(10)
    time.runUntil(10)
    expect(at).toBe(10)
  })
})
