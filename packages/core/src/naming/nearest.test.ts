import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { editDistance, nearest, suggestion } from './nearest.ts'

const keys = ['healthChecks', 'rateLimit', 'balancer', 'scaling', 'run', 'expose']

describe('nearest', () => {
  it.each([
    ['heatlhChecks', 'healthChecks'],
    ['healthcheck', 'healthChecks'],
    ['ratelimt', 'rateLimit'],
    ['rum', 'run'],
    ['EXPOSE', 'expose'],
    ['ballancers', 'balancer'],
  ])('finds what "%s" meant', (word, meant) => {
    expect(nearest(word, keys)).toBe(meant)
  })

  it.each(['', 'x', 'replicas', 'x'.repeat(1_000_000)])('finds nothing near', word => {
    expect(nearest(word, keys)).toBeUndefined()
  })

  it('finds any key again after one slip', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...keys),
        fc.nat(11),
        fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 1 }),
        (key, place, letter) => {
          const at = place % key.length
          expect(nearest(key.slice(0, at) + letter + key.slice(at + 1), keys)).toBe(key)
          expect(nearest(key.slice(0, at) + key.slice(at + 1), keys)).toBe(key)
        },
      ),
    )
  })
})

describe('suggestion', () => {
  it('names the near one, or what there is', () => {
    expect(suggestion('balancr', keys)).toBe('did you mean "balancer"?')
    expect(suggestion('zzz', ['a', 'b'])).toBe('there are: a, b')
    expect(
      suggestion(
        'zzz',
        Array.from({ length: 30 }, (_, index) => `key${index}`),
      ),
    ).toMatch(/key19, …$/)
  })
})

describe('editDistance', () => {
  it.each([
    ['', '', 0],
    ['', 'abc', 3],
    ['kitten', 'sitting', 3],
    ['ab', 'ba', 1],
    ['abcdef', 'abcfde', 2],
  ])('"%s" to "%s" is %i', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance)
  })

  it('is symmetric, 0 for equals alone, and no more than the longer word', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 })
    fc.assert(
      fc.property(word, word, (a, b) => {
        const distance = editDistance(a, b)
        expect(distance).toBe(editDistance(b, a))
        expect(distance === 0).toBe(a === b)
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length))
        expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length))
      }),
    )
  })
})
