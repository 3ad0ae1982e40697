import { Fault } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import { trustedByDefault } from '../settings.ts'
import { Clients } from './clients.ts'
import { readNetworks } from './networks.ts'

const clients = (networks: readonly string[] = trustedByDefault) => new Clients(readNetworks(networks))

describe('clients', () => {
  it.each([
    '127.0.0.1',
    '127.255.0.9',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.7.7',
    '169.254.1.1',
    '::1',
    'fd00::1',
    'fc00::1',
    'fe80::1',
    'fe80::1%eth0',
    '::ffff:10.0.0.5',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
  ])('trusts %s by default', address => {
    expect(clients().at(address).trusted).toBe(true)
  })

  it.each([
    '128.0.0.1',
    '11.0.0.1',
    '172.15.255.255',
    '172.32.0.1',
    '192.169.0.1',
    '169.253.0.1',
    '203.0.113.5',
    '::2',
    '::ffff:203.0.113.5',
    '2001:db8::1',
    'fe00::1',
    'ff02::1',
    // Compatible, not mapped: another address.
    '::7f00:1',
    '',
    'localhost',
    '10.0.0.5:53',
  ])('does not trust %s by default', address => {
    expect(clients().at(address).trusted).toBe(false)
  })

  it('trusts whom it is told to, and nobody else', () => {
    const some = clients(['203.0.113.5', '2001:db8::/32', '::ffff:198.51.100.0/120'])
    const trusted = (address: string) => some.at(address).trusted
    expect(['203.0.113.5', '::ffff:203.0.113.5', '2001:db8:9::1', '198.51.100.77'].map(trusted)).toEqual([
      true,
      true,
      true,
      true,
    ])
    expect(['127.0.0.1', '203.0.113.6', '2001:db9::1', '198.51.101.1'].map(trusted)).toEqual([
      false,
      false,
      false,
      false,
    ])
    expect(clients([]).at('127.0.0.1').trusted).toBe(false)
  })

  it('knows an IPv4 client by four bytes, however the socket spells it', () => {
    expect(clients().at('203.0.113.5').bytes).toEqual(Uint8Array.of(203, 0, 113, 5))
    expect(clients().at('::ffff:203.0.113.5').bytes).toEqual(Uint8Array.of(203, 0, 113, 5))
    expect(clients().at('2001:db8::1').bytes).toEqual(
      Uint8Array.from(Buffer.from('20010db8000000000000000000000001', 'hex')),
    )
  })

  it('says what is wrong with a network', () => {
    for (const entry of ['10.0.0.0/33', 'localhost', '10.0.0.0/8/8', '', '::/129']) {
      expect(() => readNetworks([entry])).toThrow(
        expect.objectContaining({ code: 'config_invalid', message: expect.stringContaining(`"${entry}"`) }),
      )
    }
    expect(() => readNetworks(['x'])).toThrow(Fault)
  })

  it('remembers few of many, and those that come again', () => {
    const some = clients()
    const friend = some.at('10.0.0.1')
    let most = 0
    for (let index = 0; index < 100_000; index++) {
      some.at(`198.${index >> 16}.${(index >> 8) & 255}.${index & 255}`)
      if (index % 1000 === 0) expect(some.at('10.0.0.1')).toBe(friend)
      most = Math.max(most, some.size)
    }
    expect(most).toBe(4096)
  })
})
