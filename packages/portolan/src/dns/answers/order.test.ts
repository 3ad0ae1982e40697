import { seededRandom } from '@portolan/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { drawOrder } from './order.ts'
import type { Answer } from './reply.ts'

function answersOf(weights: readonly number[], priorityOf: (index: number) => number = () => 0): Answer[] {
  return weights.map((weight, index) => ({
    record: { type: 'TXT', name: 'x', ttl: 1, texts: [String(index)] },
    weight,
    priority: priorityOf(index),
    additional: [],
  }))
}

/** How often each answer was among the first `places` of what was drawn. */
function countFirst(answers: readonly Answer[], draws: number, places: number, most?: number): number[] {
  const random = seededRandom(5)
  const counts = new Map<Answer, number>()
  for (let draw = 0; draw < draws; draw++) {
    for (const answer of drawOrder(answers, random, most).slice(0, places)) {
      counts.set(answer, (counts.get(answer) ?? 0) + 1)
    }
  }
  return answers.map(answer => (counts.get(answer) ?? 0) / draws)
}

describe('the order of answers', () => {
  it.each([
    ['all of them', undefined],
    ['the first alone', 1],
    ['the first three', 3],
  ])('gives first places by weight (%s are drawn)', (_, most) => {
    const weights = [1, 2, 3, 4, 10]
    const shares = countFirst(answersOf(weights), 100_000, 1, most)
    for (const [index, weight] of weights.entries()) {
      expect(Math.abs((shares[index] ?? 0) - weight / 20)).toBeLessThan(0.01)
    }
  })

  it('gives second places by weight among the others', () => {
    const shares = countFirst(answersOf([1, 1, 2]), 100_000, 2, 2)
    // 1 - (no first place)(no second place): 1/4 + 1/4 * 1/3 + 2/4 * 1/2, and 2/4 + 2 * 1/4 * 2/3.
    for (const [index, share] of [7 / 12, 7 / 12, 5 / 6].entries()) {
      expect(Math.abs((shares[index] ?? 0) - share)).toBeLessThan(0.01)
    }
  })

  it('is the same, by chance, whether few are drawn or all', () => {
    const weights = Array.from({ length: 40 }, (_, index) => 1 + (index % 4))
    const few = countFirst(answersOf(weights), 10_000, 10, 10)
    const all = countFirst(answersOf(weights), 10_000, 10)
    for (const [index, share] of few.entries()) expect(Math.abs(share - (all[index] ?? 0))).toBeLessThan(0.02)
  })

  it('lets everybody of thousands be among those that fit, equally often', () => {
    const answers = answersOf(Array.from({ length: 3000 }, () => 1))
    const shares = countFirst(answers, 3000, 70, 70)
    const mean = 70 / 3000
    expect(shares.reduce((a, b) => a + b, 0)).toBeCloseTo(70)
    // Five standard deviations on either side.
    const deviation = Math.sqrt((mean * (1 - mean)) / 3000)
    expect(Math.min(...shares)).toBeGreaterThan(mean - 5 * deviation)
    expect(Math.max(...shares)).toBeLessThan(mean + 5 * deviation)
  })

  it('lets the heavier ones of thousands be among those that fit as much more often', () => {
    const answers = answersOf(Array.from({ length: 3000 }, (_, index) => (index < 1500 ? 1 : 3)))
    const shares = countFirst(answers, 1000, 70, 70)
    const light = shares.slice(0, 1500).reduce((a, b) => a + b, 0)
    expect(light / 70).toBeGreaterThan(0.24)
    expect(light / 70).toBeLessThan(0.27)
    expect(Math.min(...shares.slice(1500))).toBeGreaterThan(0)
  })

  it('has lower priorities first', () => {
    const answers = answersOf([1, 100, 1, 100], index => (index % 2 === 0 ? 0 : 5))
    const property = fc.property(fc.integer(), fc.integer({ min: 0, max: 6 }), (seed, most) => {
      const drawn = drawOrder(answers, seededRandom(seed), most)
      expect(drawn.map(({ priority }) => priority)).toEqual([0, 0, 5, 5].slice(0, most))
    })
    fc.assert(property)
  })

  it('has each answer once, whatever the weights, the dice and the room', () => {
    const weight = fc.constantFrom(0.001, 0.5, 1, 7, 1_000_000)
    const weights = fc.array(weight, { maxLength: 30 })
    const dice = fc.constantFrom(0, 0.5, 1 - 2 ** -53)
    const property = fc.property(
      weights,
      fc.nat(40),
      fc.option(dice),
      fc.integer(),
      (given, most, die, seed) => {
        const answers = answersOf(given, index => index % 2)
        const drawn = drawOrder(answers, die === null ? seededRandom(seed) : () => die, most)
        expect(drawn).toHaveLength(Math.min(most, answers.length))
        expect(new Set(drawn).size).toBe(drawn.length)
        expect(answers).toEqual(expect.arrayContaining([...drawn]))
      },
    )
    fc.assert(property)
  })
})
