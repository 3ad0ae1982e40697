import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Fault } from '../fault/fault.ts'
import { formatHostPort, isPort, parseHostPort } from './host-port.ts'
import { formatIp, parseIp } from './ip.ts'

describe('parseHostPort', () => {
  it.each([
    ['10.0.0.5:8080', '10.0.0.5', 8080],
    ['[::1]:8080', '::1', 8080],
    ['[2001:DB8:0::1]:1', '2001:db8::1', 1],
    ['[fe80::1%eth0]:65535', 'fe80::1%eth0', 65_535],
    ['localhost:80', 'localhost', 80],
    ['Order-1.Shop.example.:80', 'order-1.shop.example.', 80],
    ['shop_order_1:80', 'shop_order_1', 80],
  ])('reads %s', (text, host, port) => {
    expect(parseHostPort(text)).toEqual({ host, port })
    expect(parseHostPort(formatHostPort(host, port))).toEqual({ host, port })
  })

  it.each([
    [':8080', 'the host is missing: write 127.0.0.1:8080 (this machine alone) or 0.0.0.0:8080'],
    ['', 'the port is missing: write 127.0.0.1:8080'],
    ['localhost', 'the port is missing: write localhost:8080'],
    ['[::1]', 'the port is missing: write [::1]:8080'],
    ['[::1', 'the bracket [ is never closed: write [::1]:8080'],
    ['::1:8080', 'an IPv6 address needs brackets before a port: write [::1]:8080'],
    ['[10.0.0.5]:80', 'between [ and ] belongs an IPv6 address: write [::1]:8080'],
    ['10.0.0:80', '10.0.0 is no IPv4 address: four numbers from 0 to 255 without leading zeros'],
    ['010.0.0.1:80', '010.0.0.1 is no IPv4 address: four numbers from 0 to 255 without leading zeros'],
    ['a b:80', 'the host must be an IP address or a host name'],
    ['http//x:80', 'the host must be an IP address or a host name'],
    ['-a:80', 'the host must be an IP address or a host name'],
    ['localhost:', 'the port must be a number from 1 to 65535'],
    ['localhost:0', 'the port must be a number from 1 to 65535'],
    ['localhost:65536', 'the port must be a number from 1 to 65535'],
    ['localhost:-1', 'the port must be a number from 1 to 65535'],
    ['localhost:8e3', 'the port must be a number from 1 to 65535'],
    ['http://localhost:80', 'an address has no scheme: write only what stands between http:// and the path'],
  ])('refuses "%s" and says how to mend it', (text, hint) => {
    const refusal = () => parseHostPort(text)
    expect(refusal).toThrow(Fault)
    expect(refusal).toThrow(expect.objectContaining({ code: 'invalid_request', source: 'caller', hint }))
  })

  it('takes port 0 where any free port is good', () => {
    expect(parseHostPort('127.0.0.1:0', { anyPort: true }).port).toBe(0)
    expect(() => parseHostPort('127.0.0.1:x', { anyPort: true })).toThrow(
      expect.objectContaining({ hint: 'the port must be a number from 0 to 65535' }),
    )
  })

  it('reads back every address and port that it writes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.integer({ min: 1, max: 65_535 }), (text, port) => {
        const ip = parseIp(text)
        if (ip === undefined) throw new Error(`fast-check made ${text}`)
        const host = formatIp(ip)
        expect(parseHostPort(formatHostPort(host, port))).toEqual({ host, port })
      }),
    )
  })

  it('answers any text with a result or a fault, and in no time', () => {
    fc.assert(
      fc.property(fc.string(), text => {
        try {
          expect(isPort(parseHostPort(text).port)).toBe(true)
        } catch (error) {
          expect(error).toBeInstanceOf(Fault)
        }
      }),
    )
    const long = 'a'.repeat(1_000_000)
    for (const text of [
      `${'a.'.repeat(500_000)}:80`,
      `${long}:80`,
      long,
      `:${long}`,
      `[${long}]`,
      ':'.repeat(1_000_000),
    ]) {
      expect(() => parseHostPort(text)).toThrow(Fault)
      expect(() => parseHostPort(text)).toThrow(/^.{1,120}$/)
      expect(() => parseHostPort(text)).toThrow(
        expect.objectContaining({ hint: expect.stringMatching(/^.{1,300}$/) }),
      )
    }
  })
})

describe('isPort', () => {
  it('is an integer from 1 to 65535', () => {
    for (const port of [1, 80, 65_535]) expect(isPort(port)).toBe(true)
    for (const other of [0, -1, 65_536, 1.5, Number.NaN, '80', null, undefined])
      expect(isPort(other)).toBe(false)
  })
})
