import type { Instance } from '@portolan/core'
import { instanceOf } from '../../../proxy/testing/static-resolver.ts'
import type { Domain } from '../../names/meaning.ts'
import { givenDirectory } from './given.ts'

export const domains: readonly Domain[] = [
  { name: 'portolan', style: 'portolan' },
  { name: 'consul', style: 'consul' },
]

const ill = [
  { kind: 'http' as const, owner: 'http-1', reason: 'status 500', since: '2026-01-01T00:00:00.000Z' },
]

export const taken: Partial<Instance> = {
  causes: [{ kind: 'operator', owner: 'admin', reason: 'out', since: '2026-01-01T00:00:00.000Z' }],
}

const ports: Instance['ports'] = [
  { name: 'http', number: 8080, protocol: 'http', tls: false },
  { name: 'stats', number: 8125, protocol: 'udp', tls: false },
]

/** A small shop with one service of each kind that names can tell apart. */
export const shopInstances: readonly Instance[] = [
  instanceOf('order', 'order-1', 8080, {
    addresses: ['10.0.0.1', 'fd00::1'],
    ports,
    zone: 'zone-a',
    tags: ['v1'],
    host: 'Box-1',
    version: '1.0',
  }),
  instanceOf('order', 'Order_2', 8080, { addresses: ['10.0.0.2'], zone: 'zone-b', tags: ['v1', 'v2.0'] }),
  instanceOf('order', 'order-3', 8080, { addresses: ['10.0.0.3'], zone: 'zone-b', causes: ill }),
  instanceOf('order', 'order-4', 8080, { addresses: ['10.0.0.4'], zone: 'zone-c', ...taken }),
  instanceOf('order', 'order-1', 9090, { namespace: 'staging', addresses: ['10.1.0.1'], zone: 'zone-a' }),
  instanceOf('api.cart', 'a-1', 80, { addresses: ['10.2.0.1'], zone: 'zone-a' }),
  instanceOf('Pay', 'p-1', 80, { addresses: ['10.3.0.1'] }),
  instanceOf('syslog', 's-1', 514, {
    addresses: ['10.4.0.1'],
    ports: [{ name: 'log', number: 514, protocol: 'udp', tls: false }],
  }),
  instanceOf('near', 'n-1', 80, { addresses: ['fe80::1%eth0', '10.5.0.1'] }),
  instanceOf('out', 'o-1', 80, { addresses: ['10.6.0.1'], ...taken }),
]

/** The shop, with `empty`: a service that is known without an instance. */
export const shop = givenDirectory(shopInstances, { services: ['empty'] })
