import { parseHostPort } from '@portolan/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defaultConfig, type LoadedConfig, readConfig } from './load.ts'
import { formatProblem } from './problem.ts'
import {
  anonymousRights,
  balancerPolicies,
  dataFolder,
  listenAddresses,
  memberId,
  routeTable,
  staticMembers,
  tokens,
  workloads,
} from './resolve.ts'
import { everySection } from './testing/every-section.ts'

function load(text: string, file = '/etc/portolan/portolan.yaml'): LoadedConfig {
  const reading = readConfig(text, file)
  if (!reading.ok) throw new Error(reading.problems.map(formatProblem).join('\n'))
  return reading.loaded
}

const local = [{ host: '127.0.0.1', port: 7480 }]
const open = [{ host: '0.0.0.0', port: 7480 }]

describe('what a configuration comes to', () => {
  it('names the static members, with ids that are names and with their place', () => {
    const loaded = load(
      'services:\n  staging/a:\n    instances: [127.0.0.1:19001, "[::1]:19001", Db.internal:80]\n',
    )
    const members = staticMembers(loaded.config)
    expect(members.map(({ namespace, service, id }) => [namespace, service, id])).toEqual([
      ['staging', 'a', '127.0.0.1-19001'],
      ['staging', 'a', '__1-19001'],
      ['staging', 'a', 'db.internal-80'],
    ])
    expect(members.map(({ path }) => loaded.position(path)?.column)).toEqual([17, 34, 49])
  })

  it('gives every address an id of its own', () => {
    const address = fc.tuple(fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain()), fc.integer({ min: 1, max: 65_535 }))
    fc.assert(
      fc.property(address, address, (one, other) => {
        const [a, b] = [one, other].map(([host, port]) =>
          parseHostPort(host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`),
        )
        if (a === undefined || b === undefined) throw new Error('two addresses come in')
        expect(memberId(a)).toMatch(/^[A-Za-z0-9._-]+$/)
        expect(memberId(a) === memberId(b)).toBe(a.host === b.host && a.port === b.port)
      }),
    )
  })

  it('tells gateways all that a route asks of a request', () => {
    const { config } = load(
      'gateway:\n  routes:\n    - { match: { method: POST, headers: { X-Canary: "1" } }, service: a }\n    - { match: { host: Shop.Example }, service: b, namespace: n }\n',
    )
    expect(routeTable(config, local).routes).toEqual([
      { match: { headers: { 'X-Canary': '1' }, method: 'POST' }, service: 'a' },
      { match: { host: 'shop.example' }, service: 'b', namespace: 'n' },
    ])
  })

  it('tells gateways how long requests may take', () => {
    const { config } = load(
      'gateway:\n  routes:\n    - { match: {}, service: a, timeout: 5m }\n    - { service: a, timeout: none }\nservices:\n  n/a: { timeout: 2s }\n  b: {}\n',
    )
    expect(routeTable(config, local)).toMatchObject({
      routes: [{ timeoutMs: 300_000 }, { timeoutMs: 0 }],
      timeouts: { 'n/a': 2000 },
    })
  })

  it('tells gateways how large bodies may be', () => {
    const { config } = load(
      'gateway:\n  maxBody: 1MiB\n  routes: [{ service: a, maxBody: none }, { service: a, maxBody: 1.5KiB }, { service: a }]\n',
    )
    const { routes, maxBody } = routeTable(config, local)
    expect(maxBody).toBe(1_048_576)
    expect(routes.map(route => route.maxBody)).toEqual([0, 1536, undefined])
  })

  it('tells gateways what they are called in Via, where that is not the usual', () => {
    const viaOf = (text: string) => routeTable(load(text).config, local).via
    expect(
      ['{}', '{ via: portolan }', '{ via: edge-1 }', '{ via: none }'].map(text =>
        viaOf(`gateway: ${text}\n`),
      ),
    ).toEqual([undefined, undefined, 'edge-1', 'none'])
  })

  it('exposes all services on loopback, beyond it those that say so', () => {
    const { config } = load('services:\n  a: { expose: true }\n  n/b: { expose: true }\n  c: {}\n')
    expect(routeTable(config, local).exposed).toBe('all')
    expect(routeTable(config, [...local, ...open]).exposed).toEqual(['a', 'n/b'])
  })

  it('lets anonymous callers do everything on loopback only, unless the file says', () => {
    const defaults = defaultConfig('/').config
    expect(
      anonymousRights(defaults, [...local, { host: '::1', port: 1 }, { host: 'localhost', port: 1 }]),
    ).toBe('admin')
    expect(anonymousRights(defaults, open)).toBe('none')
    expect(anonymousRights(load('auth: { anonymous: read }').config, open)).toBe('read')
  })

  it('listens on the loopback addresses that there are', () => {
    expect(listenAddresses(undefined, 7400, true)).toEqual([
      { host: '127.0.0.1', port: 7400 },
      { host: '::1', port: 7400 },
    ])
    expect(listenAddresses(undefined, 7400, false)).toEqual([{ host: '127.0.0.1', port: 7400 }])
    expect(listenAddresses(open, 7400, true)).toEqual(open)
  })

  it('defines workloads with absolute folders', () => {
    const loaded = load('services:\n  cart:\n    run: { command: [node, cart.mjs], port: 80, cwd: shop }\n')
    expect(workloads(loaded)).toEqual([
      {
        name: 'cart',
        service: { namespace: 'default', service: 'cart' },
        command: ['node', 'cart.mjs'],
        replicas: 1,
        port: 80,
        env: {},
        cwd: '/etc/portolan/shop',
        console: false,
        drainGraceMs: 5000,
        stopGraceMs: 10_000,
      },
    ])
    expect(workloads(load(everySection)).map(({ name, replicas }) => [name, replicas])).toEqual([['cart', 3]])
  })

  it('keeps data beside the file', () => {
    expect(dataFolder(load(''))).toBe('/etc/portolan/.portolan')
    expect(dataFolder(load('data: /var/lib/x'))).toBe('/var/lib/x')
    expect(dataFolder(defaultConfig('/home/me'))).toBe('/home/me/.portolan')
  })

  it('names where outlier detection differs', () => {
    const text = `services:
  a: { outliers: { consecutive5xx: 3, keepAtLeast: 2, slowerThan: 5 } }
  b: { outliers: { consecutive5xx: 5 } }
  c: {}
`
    expect(routeTable(load(text).config, local).outliers).toEqual({
      a: { consecutive5xx: 3, keepAtLeast: 2, latencyFactor: 5 },
    })
  })

  it('names services whose idle connections are kept otherwise, or not at all', () => {
    const text = 'services: { a: { poolIdle: 0s }, b: { poolIdle: 30s }, c: {}, d: { poolIdle: none } }'
    expect(routeTable(load(text).config, local).poolIdle).toEqual({ a: 0, b: 30_000, d: 0 })
    expect(routeTable(load('services: { c: {} }').config, local)).not.toHaveProperty('poolIdle')
  })

  it('names where circuit breakers differ', () => {
    const text = `services:
  a: { circuitBreaker: { connections: 8, pending: 0, requests: 100, queueTimeout: 250ms } }
  b: { circuitBreaker: { pending: 1024 } }
  c: { circuitBreaker: { queueTimeout: 5s } }
`
    expect(routeTable(load(text).config, local).breakers).toEqual({
      a: { connections: 8, pending: 0, requests: 100, queueTimeoutMs: 250 },
      c: { queueTimeoutMs: 5000 },
    })
  })

  it('names where the limits of gateways differ', () => {
    const { config } = load('gateway: { limits: { connections: 500, poolIdle: 4s, poolMaxLifetime: 1h } }')
    expect(routeTable(config, local).limits).toEqual({ connections: 500, poolMaxLifetimeMs: 3_600_000 })
    expect(routeTable(load('').config, local).limits).toBeUndefined()
    const text = 'gateway: { limits: { connectionsPerClient: 20, memory: 1.5GiB, minRate: 0 } }'
    expect(routeTable(load(text).config, local).limits).toEqual({
      connectionsPerClient: 20,
      memory: 1.5 * 1024 ** 3,
      minRate: 0,
    })
  })

  it('says where balancing differs from the defaults', () => {
    const text =
      'services:\n  a: { balancer: { policy: random, slowStart: none, subset: 20 } }\n' +
      '  b: { balancer: { policy: maglev, slowStart: 2m, hashBy: header:X-User } }\n  c: {}\n'
    const { config } = load(text)
    expect(balancerPolicies(config)).toEqual({ a: 'random', b: 'maglev' })
    expect(routeTable(config, local)).toMatchObject({
      policies: { a: 'random', b: 'maglev' },
      balance: { a: { slowStartMs: 0, subset: 20 }, b: { slowStartMs: 120_000, hashBy: 'header:X-User' } },
    })
    expect(routeTable(defaultConfig('/').config, local)).toEqual({ routes: [], exposed: 'all' })
  })

  it('turns tokens into grants, one for each pair', () => {
    const sha256 = 'AB'.repeat(32)
    const text = `auth: { tokens: [{ name: ci, sha256: ${sha256}, verbs: [read], services: [a, b] }] }`
    expect(tokens(load(text))).toEqual([
      {
        name: 'ci',
        sha256: sha256.toLowerCase(),
        at: '/etc/portolan/portolan.yaml:1',
        grants: [
          { verbs: ['read'], namespace: '*', service: 'a', instance: '*' },
          { verbs: ['read'], namespace: '*', service: 'b', instance: '*' },
        ],
      },
    ])
  })
})
