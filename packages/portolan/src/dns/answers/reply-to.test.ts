import { describe, expect, it } from 'vitest'
import { instanceOf } from '../../proxy/testing/static-resolver.ts'
import { classes, types } from '../codec/codes.ts'
import { givenDirectory } from '../directory/testing/given.ts'
import { shop, taken } from '../directory/testing/shop.ts'
import { replyTo } from './reply-to.ts'
import { ask, dataOf, said, type TypeName, settings as usual } from './testing/ask.ts'

type Row = readonly [name: string, type: TypeName, says: string | readonly string[]]

/** `order` has two instances that may be picked, one that is ill, and one that an operator took out. */
const rows: readonly Row[] = [
  // Addresses
  ['order.portolan', 'A', ['10.0.0.1', '10.0.0.2']],
  ['order.portolan', 'AAAA', ['fd00::1']],
  ['pay.portolan', 'AAAA', 'NODATA'],
  ['order.zone-a.portolan', 'A', ['10.0.0.1']],
  ['order.zone-b.portolan', 'AAAA', 'NODATA'],
  ['v1.tag.order.portolan', 'A', ['10.0.0.1', '10.0.0.2']],
  ['v2.0.tag.order.portolan', 'A', ['10.0.0.2']],
  ['order.staging.ns.portolan', 'A', ['10.1.0.1']],
  ['_stats._udp.order.portolan', 'A', ['10.0.0.1']],
  ['order-1.instance.order.portolan', 'A', ['10.0.0.1']],
  ['order-4.instance.order.portolan', 'A', ['10.0.0.4']],
  ['0a000004.addr.portolan', 'A', ['10.0.0.4']],
  ['0a000004.addr.portolan', 'AAAA', 'NODATA'],
  ['fd000000000000000000000000000001.addr.portolan', 'AAAA', ['fd00::1']],
  ['ns.portolan', 'A', ['192.0.2.53']],
  ['ns.portolan', 'AAAA', 'NODATA'],
  ['near.portolan', 'A', ['10.5.0.1']],
  ['near.portolan', 'AAAA', 'NODATA'],
  // Services with their ports
  ['order.portolan', 'SRV', ['0 1 8080 0a000002.addr.portolan', '0 1 8080 order-1.instance.order.portolan']],
  ['_http._tcp.order.zone-a.portolan', 'SRV', ['0 1 8080 order-1.instance.order.portolan']],
  ['_stats._udp.order.portolan', 'SRV', ['0 1 8125 order-1.instance.order.portolan']],
  ['_order._udp.portolan', 'SRV', ['0 1 8125 order-1.instance.order.portolan']],
  ['_order._tcp.staging.ns.portolan', 'SRV', ['0 1 9090 order-1.instance.order.staging.ns.portolan']],
  ['syslog.portolan', 'SRV', ['0 1 514 s-1.instance.syslog.portolan']],
  ['_syslog._udp.portolan', 'SRV', ['0 1 514 s-1.instance.syslog.portolan']],
  ['_syslog._tcp.portolan', 'SRV', 'NXDOMAIN'],
  ['pay.portolan', 'SRV', ['0 1 80 0a030001.addr.portolan']],
  ['order-1.instance.order.portolan', 'SRV', ['0 1 8080 order-1.instance.order.portolan']],
  // Texts
  ['order.portolan', 'TXT', ['id=Order_2 zone=zone-b', 'id=order-1 version=1.0 zone=zone-a']],
  ['order-4.instance.order.portolan', 'TXT', ['id=order-4 zone=zone-c']],
  // Known, but nobody may be picked: there is the name, and nothing that it says
  ['out.portolan', 'A', 'NODATA'],
  ['out.portolan', 'SRV', 'NODATA'],
  ['empty.portolan', 'A', 'NODATA'],
  ['empty.zone-a.portolan', 'A', 'NODATA'],
  ['_http._tcp.empty.portolan', 'SRV', 'NODATA'],
  ['order.zone-c.portolan', 'A', 'NODATA'],
  ['order.portolan', 'MX' as TypeName, 'NODATA'],
  ['order.portolan', 'HTTPS', 'NODATA'],
  ['order.portolan', 'CNAME', 'NODATA'],
  ['order.portolan', 'NS', 'NODATA'],
  ['order.portolan', 'SOA', 'NODATA'],
  ['order.portolan', 'PTR', 'NODATA'],
  ['tag.order.portolan', 'A', 'NODATA'],
  ['_tcp.order.portolan', 'SRV', 'NODATA'],
  ['portolan', 'A', 'NODATA'],
  // Unknown
  ['orders.portolan', 'A', 'NXDOMAIN'],
  ['order.zone-x.portolan', 'A', 'NXDOMAIN'],
  ['v3.tag.order.portolan', 'A', 'NXDOMAIN'],
  ['_grpc._tcp.order.portolan', 'SRV', 'NXDOMAIN'],
  ['order-9.instance.order.portolan', 'A', 'NXDOMAIN'],
  ['0a0000ff.addr.portolan', 'A', 'NXDOMAIN'],
  ['fe800000000000000000000000000001.addr.portolan', 'AAAA', 'NXDOMAIN'],
  // Consul says that of services without a usable instance, too
  ['order.service.consul', 'A', ['10.0.0.1', '10.0.0.2']],
  ['order.service.consul', 'AAAA', ['fd00::1']],
  ['pay.service.consul', 'AAAA', 'NODATA'],
  ['v2.0.order.service.consul', 'A', ['10.0.0.2']],
  [
    '_order._tcp.service.consul',
    'SRV',
    ['0 1 8080 0a000001.addr.dc1.consul', '0 1 8080 0a000002.addr.dc1.consul'],
  ],
  ['0a000001.addr.dc1.consul', 'A', ['10.0.0.1']],
  ['box-1.node.consul', 'A', ['10.0.0.1']],
  ['box-1.node.consul', 'AAAA', ['fd00::1']],
  ['box-1.node.consul', 'TXT', 'NODATA'],
  ['out.service.consul', 'A', 'NXDOMAIN'],
  ['empty.service.consul', 'A', 'NXDOMAIN'],
  ['orders.service.consul', 'A', 'NXDOMAIN'],
  ['box-9.node.consul', 'A', 'NXDOMAIN'],
  // Zones' own
  ['portolan', 'SOA', ['ns.portolan hostmaster.portolan 1']],
  ['portolan', 'NS', ['ns.portolan']],
  ['consul', 'NS', ['ns.consul']],
  // Back from addresses
  ['1.0.0.10.in-addr.arpa', 'PTR', ['order-1.instance.order.portolan']],
  ['2.0.0.10.in-addr.arpa', 'PTR', ['0a000002.addr.portolan']],
  ['1.0.0.10.in-addr.arpa', 'A', 'NODATA'],
  ['1.0.0.10.in-addr.arpa', 'SOA', ['ns.portolan hostmaster.portolan 1']],
  ['9.9.9.9.in-addr.arpa', 'PTR', 'foreign'],
  // Nobody is told everything
  ['order.portolan', 'ANY', ['RFC8482']],
  ['portolan', 'ANY', ['RFC8482']],
  ['order-1.instance.order.portolan', 'ANY', ['RFC8482']],
  ['0a000001.addr.portolan', 'ANY', ['RFC8482']],
  ['1.0.0.10.in-addr.arpa', 'ANY', ['RFC8482']],
  ['out.portolan', 'ANY', 'NODATA'],
  ['orders.portolan', 'ANY', 'NXDOMAIN'],
  ['order.portolan', 'AXFR', 'REFUSED'],
  ['portolan', 'IXFR', 'REFUSED'],
  ['example.com', 'A', 'foreign'],
  ['example.com', 'AXFR', 'REFUSED'],
]

describe('what is answered', () => {
  it.each(rows)('%s %s', (name, type, says) => {
    expect(said(ask(shop, name, type))).toEqual(says)
  })

  it('goes by the class: all of them are the Internet, and no other one is ours', () => {
    const context = { directory: shop, settings: usual, addresses: [] }
    const question = { name: 'order.portolan', type: types.A }
    const reply = (asked: number) => replyTo({ ...question, class: asked }, context)
    expect(said(reply(classes.ANY))).toEqual(['10.0.0.1', '10.0.0.2'])
    expect([classes.CH, classes.NONE, 0].map(asked => said(reply(asked)))).toEqual(Array(3).fill('REFUSED'))
    expect(said(replyTo({ name: 'version.bind', type: types.TXT, class: classes.CH }, context))).toBe(
      'REFUSED',
    )
  })

  it('has its zone beside it where there is nothing', () => {
    const settings = { ...usual, ttl: 9, negativeTtl: 3 }
    for (const [name, zone] of [
      ['out.portolan', 'portolan'],
      ['orders.service.consul', 'consul'],
      ['1.0.0.10.in-addr.arpa', '1.0.0.10.in-addr.arpa'],
    ] as const) {
      const reply = ask(shop, name, 'AAAA', { settings })
      expect(reply?.authority).toEqual([
        expect.objectContaining({ type: 'SOA', name: zone, ttl: 3, minimum: 3, serial: 1 }),
      ])
      expect(reply?.authoritative).toBe(true)
    }
    expect(ask(shop, 'portolan', 'SOA', { settings })?.answers[0]?.record.ttl).toBe(9)
  })

  it('is not to be kept where it names somebody who drains', () => {
    const leaving = instanceOf('order', 'a-1', 80, {
      addresses: ['10.0.0.1'],
      causes: [{ kind: 'draining', owner: 'drain', reason: 'deploy', since: '2030-01-01T00:00:00.000Z' }],
    })
    const ttls = (directory: ReturnType<typeof givenDirectory>, name: string, type: TypeName) =>
      ask(directory, name, type)?.answers.flatMap(({ record, additional }) =>
        [record, ...additional].map(({ ttl }) => ttl),
      )
    const alone = givenDirectory([leaving])
    expect(ttls(alone, 'order.portolan', 'A')).toEqual([0])
    expect(ttls(alone, 'order.portolan', 'SRV')).toEqual([0, 0])
    expect(ttls(alone, 'a-1.instance.order.portolan', 'A')).toEqual([0])
    const other = instanceOf('order', 'b-1', 80, { addresses: ['10.0.0.2'] })
    expect(ttls(givenDirectory([leaving, other]), 'order.portolan', 'SRV')).toEqual([1, 1])
  })

  it('is a failure of ours until a registry has told us anything, but for what we know without', () => {
    const unready = givenDirectory([], { ready: false })
    for (const name of ['order.portolan', 'order.service.consul', '7f000001.addr.portolan']) {
      expect(said(ask(unready, name)), name).toBe('SERVFAIL')
    }
    for (const name of [
      '1.0.0.10.in-addr.arpa',
      '10.in-addr.arpa',
      `1.${'0.'.repeat(29)}d.f.ip6.arpa`,
      'ip6.arpa',
    ]) {
      expect(said(ask(unready, name, 'PTR')), name).toBe('SERVFAIL')
      expect(said(ask(givenDirectory([]), name, 'PTR')), name).toBe('foreign')
    }
    expect(said(ask(unready, 'xin-addr.arpa', 'PTR'))).toBe('foreign')
    expect(said(ask(unready, 'portolan', 'SOA'))).toHaveLength(1)
    expect(said(ask(unready, 'example.com'))).toBe('foreign')
  })

  it('says whose instances it names, and of nobody where it names none', () => {
    const own = shop.service('default', 'order')
    const names = ['order.portolan', 'order.zone-a.portolan', 'v1.order.service.consul']
    expect(names.map(name => ask(shop, name)?.named)).toEqual([own, own, own])
    expect(ask(shop, 'order-1.instance.order.portolan')?.named).toBe(own)
    expect(ask(shop, '0a000001.addr.portolan')?.named).toBe(shop)
    expect(ask(shop, 'portolan', 'SOA')?.named).toBeUndefined()
    expect(ask(shop, 'ns.portolan')?.named).toBeUndefined()
    expect(ask(shop, 'empty.portolan')?.named).toBeUndefined()
  })
})

describe('targets', () => {
  it('go along with all their addresses', () => {
    const additional = (name: string) =>
      ask(shop, name, 'SRV')?.answers.flatMap(answer =>
        answer.additional.map(record => [record.name, dataOf(record)]),
      )
    expect(additional('order.zone-a.portolan')).toEqual([
      ['order-1.instance.order.portolan', '10.0.0.1'],
      ['order-1.instance.order.portolan', 'fd00::1'],
    ])
    expect(additional('_order._tcp.consul')).toEqual([
      ['0a000002.addr.dc1.consul', '10.0.0.2'],
      ['0a000001.addr.dc1.consul', '10.0.0.1'],
    ])
  })

  it('resolve to exactly what goes along with them', () => {
    for (const name of [
      'order.portolan',
      'near.portolan',
      'order.service.consul',
      'api.cart.service.consul',
    ]) {
      for (const { record, additional } of ask(shop, name, 'SRV')?.answers ?? []) {
        const target = record.type === 'SRV' ? record.target : ''
        const asked = (['A', 'AAAA'] as const).flatMap(type => ask(shop, target, type)?.answers ?? [])
        expect(asked.map(({ record: found }) => found)).toEqual(additional)
      }
    }
  })

  it('that would look the same are one, with what is due to both', () => {
    const directory = givenDirectory([
      instanceOf('order', 'a', 80, { weight: 2 }),
      instanceOf('order', 'b', 80),
      instanceOf('order', 'c', 81),
    ])
    expect(said(ask(directory, 'order.service.consul', 'SRV'))).toEqual([
      '0 1 81 7f000001.addr.dc1.consul',
      '0 3 80 7f000001.addr.dc1.consul',
    ])
  })
})

describe('shares', () => {
  const at = (id: string, address: string, more: Parameters<typeof instanceOf>[3] = {}) =>
    instanceOf('order', id, 80, { addresses: [address], ...more })
  const weights = (...instances: Parameters<typeof givenDirectory>[0]) =>
    Object.fromEntries(
      (ask(givenDirectory(instances), 'order.portolan')?.answers ?? []).map(({ record, weight }) => [
        dataOf(record),
        weight,
      ]),
    )
  const standby = { metadata: { priority: '1' } }

  it('are the weights, and an address has those of all who share it', () => {
    expect(weights(at('a', '10.0.0.1', { weight: 3 }), at('b', '10.0.0.2'))).toEqual({
      '10.0.0.1': 3,
      '10.0.0.2': 1,
    })
    expect(weights(at('a', '10.0.0.1', { weight: 3 }), at('b', '10.0.0.1'))).toEqual({ '10.0.0.1': 4 })
  })

  it('are parted among the addresses of one instance', () => {
    const two = at('a', '10.0.0.1', { addresses: ['10.0.0.1', '10.0.0.3', 'fd00::1'] })
    expect(weights(two, at('b', '10.0.0.2'))).toEqual({ '10.0.0.1': 0.5, '10.0.0.3': 0.5, '10.0.0.2': 1 })
  })

  it('leave out those that take no new traffic', () => {
    expect(weights(at('a', '10.0.0.1', { weight: 0 }), at('b', '10.0.0.2'))).toEqual({ '10.0.0.2': 1 })
  })

  it('leave out later priorities while the first can bear everything', () => {
    expect(weights(at('a', '10.0.0.1'), at('b', '10.0.0.2', standby))).toEqual({ '10.0.0.1': 1 })
  })

  it('are those of pickers where it cannot', () => {
    const shares = weights(at('a', '10.0.0.1'), at('b', '10.0.0.2', taken), at('c', '10.0.0.3', standby))
    expect(shares['10.0.0.1']).toBeCloseTo(0.7)
    expect(shares['10.0.0.3']).toBeCloseTo(0.3)
  })

  it('are said by SRV with the priority', () => {
    const directory = givenDirectory([at('a', '10.0.0.1', { weight: 2 }), at('b', '10.0.0.2', standby)])
    expect(said(ask(directory, 'order.portolan', 'SRV'))).toEqual([
      '0 2 80 a.instance.order.portolan',
      '1 1 80 b.instance.order.portolan',
    ])
    const settings = { ...usual, srvWeightScale: 256 }
    expect(said(ask(directory, 'order.portolan', 'SRV', { settings }))).toEqual([
      '0 512 80 a.instance.order.portolan',
      '1 256 80 b.instance.order.portolan',
    ])
  })
})

describe('when nobody is healthy', () => {
  const ill = (kind: 'http' | 'operator') => ({
    causes: [{ kind, owner: 'x', reason: 'y', since: '2026-01-01T00:00:00.000Z' }],
  })
  const directory = givenDirectory([
    instanceOf('order', 'a', 80, { addresses: ['10.0.0.1'], zone: 'a', ...ill('http') }),
    instanceOf('order', 'b', 80, { addresses: ['10.0.0.2'], zone: 'a', ...ill('operator') }),
    instanceOf('order', 'c', 80, { addresses: ['10.0.0.3'], zone: 'b' }),
    instanceOf('cart', 'd', 80, { addresses: ['10.0.0.4'], ...ill('http') }),
  ])

  it('those are answered that pickers would pick', () => {
    expect(said(ask(directory, 'cart.portolan'))).toEqual(['10.0.0.4'])
  })

  it('those that the name asks for count, not the whole service', () => {
    expect(said(ask(directory, 'order.portolan'))).toEqual(['10.0.0.3'])
    expect(said(ask(directory, 'order.a.portolan'))).toEqual(['10.0.0.1'])
  })
})
