import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { types } from '../../codec/codes.ts'
import { specialAnswer } from './special.ts'
import { isWithin } from './zones.ts'

const all = { privateToo: true, negativeTtl: 7 }
const ours = { ...all, privateToo: false }
const zeros = (count: number) => '0.'.repeat(count)
const rcodeOf = (name: string, type: number = types.A) => specialAnswer(name, type, all)?.rcode

describe('names that mean nothing outside', () => {
  it.each([
    ['localhost', types.A, { address: '127.0.0.1' }],
    ['a.b.localhost', types.AAAA, { address: '::1' }],
    ['1.0.0.127.in-addr.arpa', types.PTR, { target: 'localhost' }],
    [`1.${zeros(31)}ip6.arpa`, types.PTR, { target: 'localhost' }],
    ['10.in-addr.arpa', types.NS, { target: '10.in-addr.arpa' }],
    ['invalid', types.SOA, { minimum: 10_800 }],
  ])('%s is this machine’s, or an empty zone’s', (name, type, record) => {
    expect(specialAnswer(name, type, all)).toMatchObject({
      rcode: 'NOERROR',
      answers: [{ name, ...record }],
      authority: [],
    })
  })

  it.each([
    ['localhost', types.TXT],
    ['10.in-addr.arpa', types.PTR],
    ['127.in-addr.arpa', types.PTR],
    ['0.0.127.in-addr.arpa', types.PTR],
    ['1.0.0.127.in-addr.arpa', types.A],
  ])('%s exists, and has no such record', (name, type) => {
    const answer = specialAnswer(name, type, all)
    expect(answer).toMatchObject({ rcode: 'NOERROR', answers: [], authority: [{ type: 'SOA' }] })
  })

  it.each([
    'x.invalid',
    'a.test',
    'printer.local',
    'abc.onion',
    '2.0.0.127.in-addr.arpa',
    '1.0.16.172.in-addr.arpa',
    '1.0.31.172.in-addr.arpa',
    '1.1.168.192.in-addr.arpa',
    '1.1.64.100.in-addr.arpa',
    '1.1.254.169.in-addr.arpa',
    'a.d.f.ip6.arpa',
    'a.8.e.f.ip6.arpa',
  ])('%s does not exist', name => {
    expect(specialAnswer(name, types.PTR, all)).toMatchObject({
      rcode: 'NXDOMAIN',
      authority: [{ type: 'SOA' }],
    })
  })

  it.each([
    '',
    'com',
    'www.example.com',
    'localhost.example',
    'notlocal',
    'arpa',
    'in-addr.arpa',
    '110.in-addr.arpa',
    '1.0.15.172.in-addr.arpa',
    '1.0.32.172.in-addr.arpa',
    '1.1.63.100.in-addr.arpa',
    '8.8.8.8.in-addr.arpa',
    'c.f.ip6.arpa',
    'home.arpa',
  ])('"%s" is somebody’s', name => {
    expect(rcodeOf(name)).toBeUndefined()
  })

  it('leaves private networks to a resolver that is in one, and nothing else', () => {
    expect(specialAnswer('1.1.168.192.in-addr.arpa', types.PTR, ours)).toBeUndefined()
    expect(specialAnswer('a.d.f.ip6.arpa', types.PTR, ours)).toBeUndefined()
    expect(specialAnswer('1.0.0.127.in-addr.arpa', types.PTR, ours)?.rcode).toBe('NOERROR')
    expect(specialAnswer('printer.local', types.A, ours)?.rcode).toBe('NXDOMAIN')
  })

  it.each([
    ['1.1.168.192.in-addr.arpa', types.PTR, 7],
    ['2.0.0.127.in-addr.arpa', types.PTR, 7],
    ['a.d.f.ip6.arpa', types.PTR, 7],
    ['10.in-addr.arpa', types.PTR, 7],
    ['x.invalid', types.A, 10_800],
    ['localhost', types.TXT, 10_800],
  ])('%s is not denied for longer than it may take to exist', (name, type, seconds) => {
    expect(specialAnswer(name, type, all)?.authority).toMatchObject([{ ttl: seconds, minimum: seconds }])
  })

  it('has an answer or none for every name', () => {
    const label = fc.constantFrom(
      '0',
      '1',
      '10',
      '127',
      '168',
      '192',
      'in-addr',
      'ip6',
      'arpa',
      'local',
      'd',
      'f',
    )
    fc.assert(
      fc.property(fc.array(label), fc.nat(300), (labels, type) => {
        const answer = specialAnswer(labels.join('.'), type, all)
        for (const { name } of [...(answer?.answers ?? []), ...(answer?.authority ?? [])])
          expect(labels.join('.').endsWith(name)).toBe(true)
      }),
    )
  })
})

describe('where a resolver is', () => {
  it.each([
    '127.0.0.53',
    '10.1.2.3',
    '172.31.0.1',
    '192.168.1.1',
    '100.64.0.1',
    '::1',
    'fd00::1',
    'fe80::1%eth0',
    '::ffff:10.0.0.1',
  ])('%s is within', host => expect(isWithin({ host, port: 53 })).toBe(true))
  it.each(['8.8.8.8', '172.32.0.1', '2001:4860:4860::8888', '::ffff:8.8.8.8'])('%s is outside', host =>
    expect(isWithin({ host, port: 53 })).toBe(false),
  )
})
