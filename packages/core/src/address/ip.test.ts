import { isIPv4, isIPv6 } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalIp, formatIp, mappedIpv4, parseIp, parseIpv4, parseIpv6 } from './ip.ts'

const group = fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 3, arbitrary: fc.nat(0xffff) })
const groups = fc.array(group, { minLength: 8, maxLength: 8 })
const zone = fc.option(fc.stringMatching(/^[a-z0-9]{1,8}$/), { nil: undefined })

/** Text that is nearly an address: valid ones with a few characters changed, and their letters at random. */
const nearlyAnAddress = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc.string({ unit: fc.constantFrom(...'0123456789abcdefF:.'), maxLength: 45 }),
  fc.string({ unit: fc.constantFrom(':', '::', '0', '1', 'ffff', '1.2.3.4', '255', '.'), maxLength: 12 }),
  fc
    .tuple(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat(40), fc.constantFrom('', ':', '.', '0', 'g', '00000', ' '))
    .map(([text, at, insert]) => text.slice(0, at) + insert + text.slice(at + 1)),
)

describe('parseIp', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['255.255.255.255', '255.255.255.255'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['2001:DB8::0001', '2001:db8::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['::ffff:10.0.0.5', '::ffff:10.0.0.5'],
    ['::ffff:a00:5', '::ffff:10.0.0.5'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['fe80::1%eth0', 'fe80::1%eth0'],
    ['fe80::0:1%25', 'fe80::1%25'],
  ])('reads %s and writes it as %s', (text, canonical) => {
    expect(canonicalIp(text)).toBe(canonical)
  })

  it.each([
    '',
    '1',
    '1.2.3',
    '1.2.3.4.5',
    '256.0.0.1',
    '010.0.0.1',
    '1.2.3.4 ',
    '1..2.3',
    '0x7f.0.0.1',
    '-1.0.0.0',
    ':',
    ':::',
    '1:2',
    '1::2::3',
    '::12345',
    '::g',
    ':1::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '::1.2.3',
    '::1.2.3.4:5',
    '1.2.3.4::',
    '[::1]',
    '::1%',
    '::1%a/b',
    '::1%eth0%1',
    '127.0.0.1%lo',
    `${'1:'.repeat(100_000)}1`,
    '9'.repeat(1_000_000),
  ])('refuses %.40s', text => {
    expect(parseIp(text)).toBeUndefined()
  })

  it('agrees with Node about what is an address', () => {
    fc.assert(
      fc.property(nearlyAnAddress, text => {
        expect(parseIpv4(text) !== undefined).toBe(isIPv4(text))
        expect(parseIpv6(text) !== undefined).toBe(isIPv6(text))
      }),
      { numRuns: 3000 },
    )
  })
})

describe('formatIp', () => {
  it('is undone by parseIp', () => {
    fc.assert(
      fc.property(groups, zone, (values, name) => {
        const ip = { family: 6 as const, groups: values, ...(name === undefined ? {} : { zone: name }) }
        expect(parseIp(formatIp(ip))).toEqual(ip)
      }),
    )
    fc.assert(
      fc.property(fc.array(fc.nat(255), { minLength: 4, maxLength: 4 }), bytes => {
        expect(parseIp(formatIp({ family: 4, bytes }))).toEqual({ family: 4, bytes })
      }),
    )
  })

  it('writes IPv6 as URLs do, but for mapped addresses', () => {
    fc.assert(
      fc.property(groups, values => {
        const ip = { family: 6 as const, groups: values }
        fc.pre(mappedIpv4(ip) === undefined)
        const written = values.map(value => value.toString(16)).join(':')
        expect(`[${formatIp(ip)}]`).toBe(new URL(`http://[${written}]/`).hostname)
      }),
    )
  })
})
