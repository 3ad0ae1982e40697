import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { History } from './history.ts'

describe('the history of a service', () => {
  it('tells what was touched after any place that it covers, each id once, with its last reason', () => {
    const touch = fc.record({
      id: fc.constantFrom('a', 'b', 'c'),
      left: fc.boolean(),
      step: fc.integer({ min: 0, max: 2 }),
    })
    fc.assert(
      fc.property(fc.array(touch, { maxLength: 50 }), fc.nat(60), (touches, from) => {
        const history = new History(0)
        const expected = new Map<string, string | undefined>()
        let revision = 1
        for (const { id, left, step } of touches) {
          revision += step
          const reason = left ? 'goodbye' : undefined
          history.note(revision, id, reason)
          if (revision > from) expected.set(id, reason)
        }
        expect(history.since(from)).toEqual(expected)
      }),
    )
  })

  it('forgets the oldest, by whole revisions, and says so', () => {
    const history = new History(0)
    for (let index = 1; index <= 3000; index++) {
      // Two touches a revision: none of them may be forgotten by half.
      history.note(Math.ceil(index / 2), `i${index % 700}`, undefined)
      history.trim(100)
    }
    expect(history.since(0)).toBeUndefined()
    let oldest = 1500
    while (history.since(oldest - 1) !== undefined) oldest--
    expect(oldest).toBeGreaterThan(1500 - 2 * 612)
    expect(history.since(oldest)?.size).toBe(Math.min(700, (1500 - oldest) * 2))
    expect(history.since(1500)?.size).toBe(0)
  })

  it('knows nothing of what was before its start', () => {
    expect(new History(7).since(6)).toBeUndefined()
    expect(new History(7).since(7)).toEqual(new Map())
  })
})
