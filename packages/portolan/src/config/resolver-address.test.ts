import { describe, expect, it } from 'vitest'
import { parseResolverAddress } from './resolver-address.ts'

describe('parseResolverAddress', () => {
  it.each([
    ['10.0.0.2', { host: '10.0.0.2', port: 53 }],
    ['FD00::2', { host: 'fd00::2', port: 53 }],
    ['10.0.0.2:5353', { host: '10.0.0.2', port: 5353 }],
    ['[fd00::2]:5353', { host: 'fd00::2', port: 5353 }],
  ])('reads %s', (text, address) => {
    expect(parseResolverAddress(text)).toEqual(address)
  })

  it.each(['name', 'dns.google', 'dns.google:53', '', '10.0.0.256'])('says of %j what to write', text => {
    expect(() => parseResolverAddress(text)).toThrow(
      expect.objectContaining({ message: expect.stringContaining('not the address of a resolver') }),
    )
  })
})
