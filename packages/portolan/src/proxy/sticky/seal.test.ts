import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { newSealKey, Seal, sealLength } from './seal.ts'

const seal = new Seal(Buffer.from('k'.repeat(32)))
const other = new Seal(Buffer.from('l'.repeat(32)))
const sealOn = (id: string, by = seal): string => by.sign(by.tokenOf(id))

describe('a seal', () => {
  it('is the same in every process with that key, and has the form of a cookie’s value', () => {
    expect(sealOn('order-1')).toBe(sealOn('order-1', new Seal(Buffer.from('k'.repeat(32)))))
    expect(sealOn('order-1')).toMatch(/^[\w-]{16}\.[\w-]{22}$/)
    expect(sealOn('order-1')).toHaveLength(sealLength)
    expect(sealOn('order-1')).not.toBe(sealOn('order-2'))
    expect(sealOn('order-1')).not.toBe(sealOn('order-1', other))
  })

  it('is known again for any id, by its own key alone', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), id => {
        const value = sealOn(id)
        expect(seal.isOn(value)).toBe(true)
        expect(other.isOn(value)).toBe(false)
      }),
    )
  })

  it('is broken by any change of any character', () => {
    const value = sealOn('order-1')
    const character = fc.integer({ min: 0, max: 255 }).map(code => String.fromCharCode(code))
    fc.assert(
      fc.property(fc.nat(sealLength - 1), character, (at, put) => {
        fc.pre(value[at] !== put)
        expect(seal.isOn(value.slice(0, at) + put + value.slice(at + 1))).toBe(false)
      }),
    )
  })

  it.each(['', '.', 'x'.repeat(sealLength), `${'x'.repeat(16)}.${'é'.repeat(22)}`])('is not on %j', value => {
    expect(seal.isOn(value)).toBe(false)
    expect(seal.isOn(sealOn('a').concat(value))).toBe(value === '')
  })

  it('has keys that nobody guesses', () => {
    expect(Buffer.from(newSealKey(), 'base64url')).toHaveLength(32)
    expect(newSealKey()).not.toBe(newSealKey())
  })
})
