import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../time/clock.ts'
import { chiSquaredSigmas } from '../testing/shares.ts'
import { type Dice, diceFrom } from './dice.ts'
import { Lots } from './lots.ts'

/** Dice that always say the same. */
const diceOf = (roll: number): Dice => ({
  below: count => Math.floor(roll * count),
  fraction: () => roll,
})

const weightList = fc.array(
  fc.oneof(
    fc.constant(1),
    fc.integer({ min: 1, max: 1_000_000 }),
    fc.double({ min: 0.001, max: 2, noNaN: true }),
  ),
  {
    minLength: 2,
    maxLength: 20,
  },
)

describe('Lots', () => {
  it('never draws what is left out, whatever the dice say', () => {
    const roll = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    fc.assert(
      fc.property(weightList, fc.array(fc.nat(19)), roll, (weights, someLeftOut, dice) => {
        const leftOut = [...new Set(someLeftOut)]
          .filter(index => index < weights.length)
          .sort((a, b) => a - b)
        const lots = new Lots(weights)
        const drawn = lots.drawOutside(leftOut, diceOf(dice))
        if (leftOut.length === weights.length) {
          expect(drawn).toBe(-1)
          return
        }
        expect(drawn).toBeGreaterThanOrEqual(0)
        expect(drawn).toBeLessThan(weights.length)
        expect(leftOut).not.toContain(drawn)

        for (const index of weights.keys()) {
          const other = lots.drawExcept(index, diceOf(dice))
          expect(other).not.toBe(index)
          expect(other).toBeGreaterThanOrEqual(0)
          expect(other).toBeLessThan(weights.length)
        }
      }),
    )
  })

  it.each([
    ['equal', [1, 1, 1, 1, 1]],
    ['mixed', [1, 2, 3, 4, 90]],
  ])('keeps the exact shares of the rest: %s weights', (_title, weights) => {
    const dice = diceFrom(seededRandom(3))
    const lots = new Lots(weights)
    const rest = (leftOut: readonly number[]) => weights.filter((_, index) => !leftOut.includes(index))
    const counted = (draw: () => number, leftOut: readonly number[]) => {
      const counts = Array<number>(weights.length).fill(0)
      for (let count = 0; count < 50_000; count++) {
        const index = draw()
        counts[index] = (counts[index] ?? 0) + 1
      }
      return counts.filter((_, index) => !leftOut.includes(index))
    }
    for (const leftOut of [[], [4], [0, 1], [1, 4], [0, 2, 4]]) {
      const counts = counted(() => lots.drawOutside(leftOut, dice), leftOut)
      expect(chiSquaredSigmas(counts, rest(leftOut))).toBeLessThan(4)
    }
    for (const index of weights.keys()) {
      const counts = counted(() => lots.drawExcept(index, dice), [index])
      expect(chiSquaredSigmas(counts, rest([index]))).toBeLessThan(4)
    }
  })
})
