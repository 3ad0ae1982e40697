import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AliasTable } from './alias.ts'
import type { Dice } from './dice.ts'

/** Throws that come all from one number: what a throw leaves of it is for the next. */
function diceOf(roll: number): Dice {
  let rest = roll
  return {
    below(count) {
      const index = Math.floor(rest * count)
      rest = rest * count - index
      return index
    },
    fraction: () => rest,
  }
}

/** How often each index comes up when the dice walk over [0, 1) in equal steps: its probability, without noise. */
function sweep(table: AliasTable, count: number, steps: number): number[] {
  const counts = Array<number>(count).fill(0)
  for (let step = 0; step < steps; step++) {
    const index = table.draw(diceOf((step + 0.5) / steps))
    counts[index] = (counts[index] ?? 0) + 1
  }
  return counts
}

describe('AliasTable', () => {
  it('gives each index the probability of its weight', () => {
    const weight = fc.oneof(
      fc.integer({ min: 1, max: 1_000_000 }),
      fc.double({ min: 0.001, max: 10, noNaN: true }),
    )
    fc.assert(
      fc.property(fc.array(weight, { minLength: 1, maxLength: 40 }), weights => {
        const steps = 20_000
        const total = weights.reduce((sum, value) => sum + value, 0)
        const counts = sweep(new AliasTable(weights), weights.length, steps)
        // Each boundary inside a column may fall on either side of a step.
        const tolerance = 2 * weights.length
        for (const [index, count] of counts.entries()) {
          expect(Math.abs(count - (steps * (weights[index] ?? 0)) / total)).toBeLessThanOrEqual(tolerance)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('stays in range at the ends of the dice', () => {
    const table = new AliasTable([1, 2, 3])
    for (const roll of [0, 1 - 2 ** -53]) expect([0, 1, 2]).toContain(table.draw(diceOf(roll)))
  })
})
