import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Fault } from '../fault/fault.ts'
import { covers, formatCursor, parseCursor } from './cursor.ts'

describe('cursors', () => {
  it('are read back as written', () => {
    const cursor = fc.record({
      epoch: fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/),
      revision: fc.nat(Number.MAX_SAFE_INTEGER).filter(revision => revision < 1e15),
    })
    fc.assert(
      fc.property(cursor, value => {
        expect(parseCursor(formatCursor(value))).toEqual(value)
      }),
    )
  })

  it.each([
    '',
    'a',
    'a.',
    '.1',
    'a.-1',
    'a.1.5',
    'a.1e3',
    'a b.1',
    'a.1 ',
    `${'a'.repeat(65)}.1`,
    `a.${'9'.repeat(16)}`,
  ])('refuses "%s"', text => {
    expect(() => parseCursor(text)).toThrow(Fault)
    expect(() => parseCursor(text)).toThrow(expect.objectContaining({ code: 'invalid_request' }))
  })

  it('cover what came before in the same epoch, and nothing of another', () => {
    const at = (epoch: string, revision: number) => ({ epoch, revision })
    expect(covers(at('a', 5), at('a', 5))).toBe(true)
    expect(covers(at('a', 5), at('a', 4))).toBe(true)
    expect(covers(at('a', 5), at('a', 6))).toBe(false)
    expect(covers(at('a', 5), at('b', 1))).toBe(false)
  })
})
