import { describe, expect, it } from 'vitest'
import { isMassSilence, mayExpire } from './protection.ts'

describe('protection', () => {
  it.each([
    [1, 1, false],
    [2, 1, false],
    [2, 2, true],
    [3, 1, false],
    [3, 2, true],
    [4, 2, false],
    [100, 50, false],
    [100, 51, true],
    [0, 0, false],
  ])('of %d, %d silent: protected = %s', (all, silent, expected) => {
    expect(isMassSilence({ all, silent })).toBe(expected)
  })

  it('is for a service, and for all sessions', () => {
    const calm = { all: 10, silent: 1 }
    const mass = { all: 10, silent: 6 }
    expect(mayExpire(calm, calm)).toBe(true)
    expect(mayExpire(mass, calm)).toBe(false)
    expect(mayExpire(calm, mass)).toBe(false)
  })
})
