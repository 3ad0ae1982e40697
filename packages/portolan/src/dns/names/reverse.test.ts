import { canonicalIp } from '@portolan/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressOfHex, hexOfAddress } from './hex.ts'
import { addressOfReverse } from './reverse.ts'
import { reverseName } from './testing/reverse-name.ts'

const address = fc.oneof(fc.ipV4(), fc.ipV6()).map(text => canonicalIp(text) ?? '')

describe('addresses in names', () => {
  it('are written and read back', () => {
    const property = fc.property(address, text => {
      expect(addressOfReverse(reverseName(text) ?? '')).toBe(text)
      expect(addressOfHex(hexOfAddress(text) ?? '')).toBe(text)
    })
    fc.assert(property)
  })

  it('are written as the RFCs have it', () => {
    expect(reverseName('192.0.2.1')).toBe('1.2.0.192.in-addr.arpa')
    expect(reverseName('2001:db8::567:89ab')).toBe(
      'b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa',
    )
    expect(hexOfAddress('127.0.0.1')).toBe('7f000001')
  })

  it.each(['fe80::1%eth0', 'order', ''])('%j has none', text => {
    expect([reverseName(text), hexOfAddress(text)]).toEqual([undefined, undefined])
  })

  it.each(['7f00001', '7F000001', '7f00000g', ''])('%j is no address', text => {
    expect(addressOfHex(text)).toBeUndefined()
  })
})
