import { describe, expect, it } from 'vitest'
import { instanceOf } from '../../proxy/testing/static-resolver.ts'
import { givenDirectory } from '../directory/testing/given.ts'
import { domains, shop } from '../directory/testing/shop.ts'
import type { Meaning, ServiceMeaning } from './meaning.ts'
import { meaningOf } from './meaning-of.ts'

const order = serviceIn('default', 'order')

function serviceIn(namespace: string, service: string, more: Partial<ServiceMeaning> = {}): ServiceMeaning {
  return { kind: 'service', namespace, service, ...more }
}

function read(name: string, directory = shop): Meaning | undefined {
  return meaningOf(name, domains, directory)?.meaning
}

/** All name forms. What is not there is NXDOMAIN; what is only above others is NODATA. */
const forms: readonly (readonly [name: string, meaning: Meaning])[] = [
  // The domain itself
  ['portolan', { kind: 'apex' }],
  ['ns.portolan', { kind: 'nameserver' }],
  // Services
  ['order.portolan', order],
  ['pay.portolan', serviceIn('default', 'pay')],
  ['api.cart.portolan', serviceIn('default', 'api.cart')],
  ['empty.portolan', serviceIn('default', 'empty')],
  ['orders.portolan', { kind: 'nothing' }],
  ['cart.portolan', { kind: 'empty' }],
  ['cart.zone-a.portolan', { kind: 'empty' }],
  // Zones
  ['order.zone-a.portolan', { ...order, zone: 'zone-a' }],
  ['api.cart.zone-a.portolan', serviceIn('default', 'api.cart', { zone: 'zone-a' })],
  ['order.zone-x.portolan', { kind: 'nothing' }],
  ['zone-a.portolan', { kind: 'empty' }],
  // Namespaces
  ['order.staging.ns.portolan', serviceIn('staging', 'order')],
  ['order.zone-a.staging.ns.portolan', serviceIn('staging', 'order', { zone: 'zone-a' })],
  ['order.default.ns.portolan', order],
  ['pay.staging.ns.portolan', { kind: 'nothing' }],
  ['order.nowhere.ns.portolan', { kind: 'nothing' }],
  ['staging.ns.portolan', { kind: 'empty' }],
  ['zone-a.staging.ns.portolan', { kind: 'empty' }],
  ['nowhere.ns.portolan', { kind: 'nothing' }],
  // Tags
  ['v1.tag.order.portolan', { ...order, tag: 'v1' }],
  ['v2.0.tag.order.portolan', { ...order, tag: 'v2.0' }],
  ['v1.tag.order.zone-b.portolan', { ...order, tag: 'v1', zone: 'zone-b' }],
  ['v2.0.tag.order.zone-a.portolan', { kind: 'nothing' }],
  ['v3.tag.order.portolan', { kind: 'nothing' }],
  ['tag.order.portolan', { kind: 'empty' }],
  ['0.tag.order.portolan', { kind: 'empty' }],
  ['tag.orders.portolan', { kind: 'nothing' }],
  // Ports
  ['_order._tcp.portolan', { ...order, port: { transport: 'tcp' } }],
  ['_order._tcp.zone-a.portolan', { ...order, zone: 'zone-a', port: { transport: 'tcp' } }],
  ['_order._tcp.staging.ns.portolan', serviceIn('staging', 'order', { port: { transport: 'tcp' } })],
  ['_api.cart._tcp.portolan', serviceIn('default', 'api.cart', { port: { transport: 'tcp' } })],
  ['_order._udp.portolan', { ...order, port: { transport: 'udp' } }],
  ['_http._tcp.order.portolan', { ...order, port: { name: 'http', transport: 'tcp' } }],
  ['_stats._udp.order.portolan', { ...order, port: { name: 'stats', transport: 'udp' } }],
  ['_stats._tcp.order.portolan', { kind: 'nothing' }],
  [
    '_http._tcp.order.zone-b.portolan',
    { ...order, zone: 'zone-b', port: { name: 'http', transport: 'tcp' } },
  ],
  ['_http._tcp.v1.tag.order.portolan', { ...order, tag: 'v1', port: { name: 'http', transport: 'tcp' } }],
  ['_grpc._tcp.order.portolan', { kind: 'nothing' }],
  ['http._tcp.order.portolan', { kind: 'nothing' }],
  ['_order._tcp.zone-x.portolan', { kind: 'nothing' }],
  ['_tcp.portolan', { kind: 'empty' }],
  ['cart._tcp.portolan', { kind: 'empty' }],
  ['_tcp.order.portolan', { kind: 'empty' }],
  ['_udp.order.zone-a.portolan', { kind: 'empty' }],
  ['_tcp.zone-a.portolan', { kind: 'empty' }],
  ['_tcp.v1.tag.order.portolan', { kind: 'empty' }],
  ['_tcp.orders.portolan', { kind: 'nothing' }],
  // Instances
  ['order-1.instance.order.portolan', anInstance('default', 'order', 'order-1')],
  ['order_2.instance.order.portolan', anInstance('default', 'order', 'order_2')],
  ['order-4.instance.order.portolan', anInstance('default', 'order', 'order-4')],
  ['order-1.instance.order.staging.ns.portolan', anInstance('staging', 'order', 'order-1')],
  ['order-9.instance.order.portolan', { kind: 'nothing' }],
  ['order-1.instance.order.zone-a.portolan', { kind: 'nothing' }],
  ['instance.order.portolan', { kind: 'empty' }],
  ['instance.order.zone-a.portolan', { kind: 'nothing' }],
  // Addresses
  ['0a000001.addr.portolan', { kind: 'address', ip: '10.0.0.1' }],
  ['fd000000000000000000000000000001.addr.portolan', { kind: 'address', ip: 'fd00::1' }],
  ['0a00001.addr.portolan', { kind: 'nothing' }],
  ['addr.portolan', { kind: 'empty' }],
  // Consul's forms
  ['consul', { kind: 'apex' }],
  ['ns.consul', { kind: 'nameserver' }],
  ['order.service.consul', order],
  ['order.service.dc1.consul', order],
  ['order.service.frankfurt.dc.consul', order],
  ['order.service.staging.ns.consul', serviceIn('staging', 'order')],
  ['order.service.staging.ns.dc1.dc.consul', serviceIn('staging', 'order')],
  ['api.cart.service.consul', serviceIn('default', 'api.cart')],
  ['v1.order.service.consul', { ...order, tag: 'v1' }],
  ['v2.0.order.service.dc1.consul', { ...order, tag: 'v2.0' }],
  ['v3.order.service.consul', { kind: 'nothing' }],
  ['orders.service.consul', { kind: 'nothing' }],
  ['_order._tcp.service.consul', order],
  ['_order._v1.service.consul', { ...order, tag: 'v1' }],
  ['_order._v1.service.dc1.consul', { ...order, tag: 'v1' }],
  ['_order._tcp.consul', order],
  ['_order._tcp.dc1.consul', order],
  ['_order._v3.service.consul', { kind: 'nothing' }],
  ['_orders._tcp.service.consul', { kind: 'nothing' }],
  ['box-1.node.consul', { kind: 'host', host: 'box-1' }],
  ['box-1.node.dc1.consul', { kind: 'host', host: 'box-1' }],
  ['box-9.node.consul', { kind: 'nothing' }],
  ['0a000001.addr.consul', { kind: 'address', ip: '10.0.0.1' }],
  ['0a000001.addr.dc1.consul', { kind: 'address', ip: '10.0.0.1' }],
  ['x.0a000001.addr.dc1.consul', { kind: 'nothing' }],
  ['order.consul', { kind: 'nothing' }],
  ['order.service.two.words.consul', { kind: 'nothing' }],
  ['service.consul', { kind: 'empty' }],
  ['node.dc1.consul', { kind: 'empty' }],
  ['dc1.consul', { kind: 'empty' }],
  ['dc.consul', { kind: 'empty' }],
  ['_tcp.service.consul', { kind: 'empty' }],
  ['staging.ns.consul', { kind: 'empty' }],
  ['ns.dc1.consul', { kind: 'empty' }],
  // Back from addresses
  ['1.0.0.10.in-addr.arpa', { kind: 'reverse', ip: '10.0.0.1' }],
  [`${'1.0.0.0.'.repeat(1)}${'0.0.0.0.'.repeat(6)}0.0.d.f.ip6.arpa`, { kind: 'reverse', ip: 'fd00::1' }],
]

function anInstance(namespace: string, service: string, id: string): Meaning {
  return { kind: 'instance', namespace, service, id }
}

describe('what a name means', () => {
  it.each(forms)('%s', (name, meaning) => {
    expect(read(name)).toEqual(meaning)
  })

  it.each([
    '',
    'com',
    'order',
    'order.portolan.example',
    'myportolan',
    String.raw`order\.portolan`,
    '9.9.9.9.in-addr.arpa',
    '0.0.10.in-addr.arpa',
    '01.0.0.10.in-addr.arpa',
    '1.0.0.256.in-addr.arpa',
    'in-addr.arpa',
  ])('%j is not ours', name => {
    expect(read(name)).toBeUndefined()
  })

  it.each([
    String.raw`or\.der.portolan`,
    String.raw`order\032.portolan`,
    '.portolan',
    `${'a.'.repeat(100)}portolan`,
    'constructor.portolan',
    'x.constructor.order.portolan',
    'x.constructor.consul',
    'x.__proto__.consul',
  ])('%j is nothing', name => {
    expect(read(name)).toEqual({ kind: 'nothing' })
  })

  it('knows names below the root of a domain of several labels, and the inner of two domains', () => {
    const two = [
      { name: 'lan', style: 'consul' as const },
      { name: 'shop.lan', style: 'portolan' as const },
    ]
    expect(meaningOf('order.shop.lan', two, shop)).toMatchObject({ domain: two[1], meaning: order })
    expect(meaningOf('order.service.lan', two, shop)).toMatchObject({
      domain: two[0],
      meaning: order,
    })
  })

  it('takes no address with a zone id for one that others can ask for', () => {
    expect(read(`1.${'0.'.repeat(27)}0.8.e.f.ip6.arpa`)).toBeUndefined()
  })
})

describe('names that could be read in two ways', () => {
  const named = (...names: readonly string[]) =>
    givenDirectory(
      names.map((name, index) => {
        const [service = '', zone] = name.split('@')
        return instanceOf(service, `i-${index}`, 80, zone === undefined ? {} : { zone })
      }),
    )

  it('are of the longest service that there is', () => {
    expect(read('a.b.c.portolan', named('a@b.c', 'a.b@c'))).toEqual(
      serviceIn('default', 'a.b', { zone: 'c' }),
    )
    expect(read('a.b.c.portolan', named('a@b.c', 'a.b@c', 'a.b.c'))).toEqual(serviceIn('default', 'a.b.c'))
  })

  it('are of a port before a zone of the same name', () => {
    const both = named('http@order', 'order')
    expect(read('_http._tcp.order.portolan', both)).toEqual({
      ...order,
      port: { name: 'http', transport: 'tcp' },
    })
    expect(read('_web._tcp.order.portolan', named('web@order', 'order'))).toEqual(
      serviceIn('default', 'web', { zone: 'order', port: { transport: 'tcp' } }),
    )
  })

  it('reach services that are called like words of ours', () => {
    for (const service of ['tag', 'instance', 'addr', '_tcp', 'service', 'node', 'ns']) {
      const directory = named(service)
      expect(read(`${service}.service.consul`, directory)).toEqual(serviceIn('default', service))
      expect(read(`${service}.default.ns.portolan`, directory)).toEqual(serviceIn('default', service))
      if (service !== 'ns')
        expect(read(`${service}.portolan`, directory)).toEqual(serviceIn('default', service))
    }
  })

  it('change with the directory where another service may take them, or else with their own service alone', () => {
    const sourceOf = (name: string) => meaningOf(name, domains, shop)?.source
    const own = shop.service('default', 'order')
    for (const name of [
      'order.portolan',
      '_order._tcp.portolan',
      '_order._tcp.default.ns.portolan',
      '_http._tcp.order.portolan',
      'v1.tag.order.portolan',
      'order-1.instance.order.portolan',
      'order.service.consul',
    ]) {
      expect(sourceOf(name), name).toBe(own)
    }
    for (const name of [
      'order.zone-a.portolan',
      '_order._tcp.zone-a.portolan',
      '_http._tcp.v1.tag.order.portolan',
      'v1.order.service.consul',
      'orders.portolan',
      'portolan',
    ]) {
      expect(sourceOf(name), name).toBe(shop)
    }
  })
})
