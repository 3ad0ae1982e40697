import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EdfHeap } from './edf-heap.ts'

function take(heap: EdfHeap, count: number, turns: number): number[] {
  const counts = Array<number>(count).fill(0)
  for (let turn = 0; turn < turns; turn++) {
    const index = heap.take(0)
    counts[index] = (counts[index] ?? 0) + 1
  }
  return counts
}

describe('EdfHeap', () => {
  it('keeps everybody within one turn of the share that the weight gives, at any moment', () => {
    const entry = fc.record({
      weight: fc.integer({ min: 1, max: 1_000_000 }),
      ahead: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 30 }), fc.nat(2000), (entries, turns) => {
        const weights = entries.map(({ weight }) => weight)
        const total = weights.reduce((sum, weight) => sum + weight, 0)
        const heap = new EdfHeap(
          weights,
          entries.map(({ ahead }) => ahead),
        )
        for (const [index, count] of take(heap, weights.length, turns).entries()) {
          const share = (weights[index] ?? 0) / total
          // The sum of all counts is off by one each at most, and an index bears its share of that.
          expect(Math.abs(count - turns * share)).toBeLessThanOrEqual(1 + weights.length * share + 1e-6)
        }
      }),
    )
  })

  it('spreads the turns of the heavy ones evenly', () => {
    const heap = new EdfHeap([2, 1, 1], [0, 0.3, 0.8])
    const turns = Array.from({ length: 8 }, () => heap.take(0))
    for (let turn = 0; turn + 4 <= turns.length; turn += 4) {
      expect(turns.slice(turn, turn + 4).filter(index => index === 0)).toHaveLength(2)
    }
    expect(turns.some((index, turn) => index === 0 && turns[turn + 1] === 0 && turns[turn + 2] === 0)).toBe(
      false,
    )
  })

  it('loses nothing when deadlines grow beyond what doubles hold well', () => {
    const heap = new EdfHeap([1, 1, 2 ** -41], [0, 0.5, 0])
    const counts = take(heap, 3, 10_001)
    expect(counts).toEqual([5000, 5000, 1])
  })

  it('says how far ahead each next turn is', () => {
    const heap = new EdfHeap([2, 1], [0, 0.5])
    heap.take(0)
    expect([...heap.ahead()]).toEqual([0, 0])
    heap.take(0)
    for (const ahead of heap.ahead()) {
      expect(ahead).toBeGreaterThanOrEqual(0)
      expect(ahead).toBeLessThanOrEqual(1)
    }
  })
})
