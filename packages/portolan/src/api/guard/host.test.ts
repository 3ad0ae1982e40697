import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isAllowedHost, isAllowedOrigin } from './host.ts'

const names = ['registry.example']

describe('the Host of a request', () => {
  it.each([
    'localhost',
    'localhost:7400',
    'LocalHost:7400',
    'localhost.',
    '127.0.0.1',
    '127.0.0.1:7400',
    '10.1.2.3:7400',
    '[::1]',
    '[::1]:7400',
    '[fe80::1%eth0]:7400',
    'registry.example',
    'Registry.Example:7400',
  ])('may be %s', host => expect(isAllowedHost(host, names)).toBe(true))

  it.each([
    undefined,
    '',
    'evil.example',
    'evil.example:7400',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    'evil.localhost',
    'localhost:7400@evil.example',
    'localhost:7400.evil.example',
    'localhost/.evil.example',
    'localhost,evil.example',
    'localhost evil.example',
    '2130706433',
    '0x7f.0.0.1',
    '127.1',
    '0177.0.0.1',
    '::1',
    '[::1',
    '[::1].evil.example',
    '[evil.example]',
    '[127.0.0.1]',
    'localhost:abc',
    'localhost:123456',
    'sub.registry.example',
  ])('may not be %s', host => expect(isAllowedHost(host, names)).toBe(false))

  it('is never a name that nobody configured, whatever else it contains', () => {
    fc.assert(
      fc.property(fc.domain(), fc.option(fc.nat(65535)), (domain, port) => {
        fc.pre(domain !== 'localhost')
        expect(isAllowedHost(port === null ? domain : `${domain}:${port}`, names)).toBe(domain === names[0])
      }),
    )
  })

  it('may be every address', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV6(), (four, six) => {
        expect(isAllowedHost(`${four}:7400`, [])).toBe(true)
        expect(isAllowedHost(`[${six}]:7400`, [])).toBe(true)
      }),
    )
  })
})

describe('the Origin of a request', () => {
  it.each([
    [undefined, 'localhost:7400'],
    ['http://localhost:7400', 'localhost:7400'],
    ['http://LOCALHOST:7400', 'localhost:7400'],
    ['https://registry.example', 'registry.example'],
    ['https://registry.example', 'registry.example:443'],
    ['http://[::1]:7400', '[::1]:7400'],
    ['https://console.example', 'localhost:7400'],
  ])('%s may call %s', (origin, host) => {
    expect(isAllowedOrigin(origin, host, ['https://console.example'])).toBe(true)
  })

  it.each([
    ['null', 'localhost:7400'],
    ['', 'localhost:7400'],
    ['http://evil.example', 'localhost:7400'],
    ['http://localhost:7401', 'localhost:7400'],
    ['http://127.0.0.1:7400', 'localhost:7400'],
    ['http://localhost', 'localhost:7400'],
    ['http://localhost:7400.evil.example', 'localhost:7400'],
    ['http://localhost:7400@evil.example', 'localhost:7400'],
    ['http://localhost:7400/', 'localhost:7400'],
    ['file://localhost:7400', 'localhost:7400'],
    ['chrome-extension://abcdef', 'localhost:7400'],
    ['https://console.example.evil.example', 'localhost:7400'],
    ['http://localhost:7400', undefined],
  ])('%s may not call %s', (origin, host) => {
    expect(isAllowedOrigin(origin, host, ['https://console.example'])).toBe(false)
  })
})
