import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { diceFrom } from '../balance/drawing/dice.ts'
import { seededRandom } from '../time/clock.ts'
import { type Side, Split } from './split.ts'

const sidesOf = (...weights: readonly number[]): Side[] =>
  weights.map((weight, index) => ({ name: `side-${index}`, weight }))
const keys = Array.from({ length: 20_000 }, (_, index) => `user-${index}`)

/** How many of `count` went to each side. */
function counted(count: number, sides: number, choose: (turn: number) => number): number[] {
  const counts = new Array<number>(sides).fill(0)
  for (let turn = 0; turn < count; turn++) {
    const side = choose(turn)
    counts[side] = (counts[side] ?? 0) + 1
  }
  return counts
}

describe('Split', () => {
  it.each([[[95, 5]], [[1, 1]], [[0, 7, 3]], [[600_000, 300_000, 100_000]]])(
    'gives each its share: %j',
    weights => {
      const split = new Split(sidesOf(...weights))
      const dice = diceFrom(seededRandom(3))
      const total = weights.reduce((sum, weight) => sum + weight, 0)
      const chance = counted(keys.length, weights.length, () => split.byChance(dice))
      const keyed = counted(keys.length, weights.length, turn => split.byKey(keys[turn] ?? ''))
      for (const [index, weight] of weights.entries()) {
        const share = weight / total
        const fourSigmas = 4 * Math.sqrt(keys.length * share * (1 - share))
        expect(Math.abs((chance[index] ?? 0) - keys.length * share)).toBeLessThanOrEqual(fourSigmas)
        expect(Math.abs((keyed[index] ?? 0) - keys.length * share)).toBeLessThanOrEqual(fourSigmas)
      }
    },
  )

  it('moves keys only to the side whose weight grows, and only from one whose weight shrinks', () => {
    const weights = fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(
        weights,
        fc.nat(4),
        fc.integer({ min: 1, max: 1000 }),
        fc.string(),
        (before, at, more, key) => {
          const grown = at % before.length
          const after = before.map((weight, index) => (index === grown ? weight + more : weight))
          const one = new Split(sidesOf(...before)).byKey(key)
          const other = new Split(sidesOf(...after)).byKey(key)
          expect(other === one || other === grown).toBe(true)
        },
      ),
    )
  })

  it('goes by names and not by the order of the list', () => {
    const sides = sidesOf(3, 2, 1)
    const one = new Split(sides)
    const other = new Split([...sides].reverse())
    for (const key of keys.slice(0, 500)) expect(other.byKey(key)).toBe(2 - one.byKey(key))
  })

  it('has nobody where all weights are 0, or no weights', () => {
    const dice = diceFrom(seededRandom(1))
    for (const sides of [[], sidesOf(0, 0), sidesOf(Number.NaN, -1, 0.5)]) {
      expect(new Split(sides).byChance(dice)).toBe(-1)
      expect(new Split(sides).byKey('x')).toBe(-1)
    }
  })
})
