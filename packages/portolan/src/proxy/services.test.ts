import { type CauseKind, seededRandom } from '@portolan/core'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { Deadlines } from './deadlines.ts'
import { exportGatewayMetrics, GatewayMetrics } from './metrics.ts'
import { openPathContext } from './path-context.ts'
import { Services } from './services.ts'
import { defaultGatewaySettings } from './settings.ts'
import { instanceOf, StaticResolver } from './testing/static-resolver.ts'

function setUp() {
  const deadlines = new Deadlines(1000)
  const metrics = new GatewayMetrics()
  const logged: Readonly<Record<string, unknown>>[] = []
  const path = openPathContext({
    settings: defaultGatewaySettings,
    clock: { now: () => 0 },
    random: seededRandom(1),
    deadlines,
    metrics,
    log: pino({ level: 'info' }, { write: line => logged.push(JSON.parse(line)) }),
  })
  const resolver = new StaticResolver()
  resolver.give('order', [instanceOf('order', 'order-1', 1)])
  return { deadlines, metrics, logged, resolver, services: new Services(path, resolver, seededRandom(1)) }
}

const named = (service: string) => ({ namespace: 'default', service })

describe('the services of a gateway', () => {
  it('are the same object until they are forgotten, and configured ones never are', () => {
    const { deadlines, metrics, services } = setUp()
    services.configure([named('order')], { routes: [], exposed: 'all' })
    const order = services.get(named('order'))
    const cart = services.get(named('cart'))
    expect(services.get(named('cart'))).toBe(cart)
    for (let second = 0; second < 400; second++) deadlines.sweep()
    expect(services.get(named('order'))).toBe(order)
    expect([...metrics.services.keys()]).toEqual(['order'])
    expect(services.get(named('cart'))).not.toBe(cart)
  })

  it('that nobody configured are forgotten within seconds if they have no instance, and are never shown', async () => {
    const { deadlines, metrics, resolver, services } = setUp()
    const registry = new Registry()
    exportGatewayMetrics(metrics, registry)
    const shown = async (): Promise<string[]> => {
      const names = (await registry.metrics()).matchAll(/service="([^"]*)"/g)
      return [...new Set([...names].map(([, name = '']) => name))].sort()
    }
    services.configure([named('routed')], { routes: [], exposed: ['open', 'shy'] })
    for (const name of ['order', 'open', 'invented', 'late']) services.get(named(name))
    expect(await shown()).toEqual(['open', 'order', 'routed'])
    const late = services.get(named('late'))
    resolver.give('late', [instanceOf('late', 'late-1', 1)])
    expect(await shown()).toEqual(['late', 'open', 'order', 'routed'])
    const invented = services.get(named('invented'))
    for (let second = 0; second < 25; second++) deadlines.sweep()
    expect(services.get(named('invented'))).not.toBe(invented)
    resolver.give('late', [])
    for (let second = 0; second < 200; second++) deadlines.sweep()
    expect(services.get(named('late'))).toBe(late)
    for (let second = 0; second < 200; second++) deadlines.sweep()
    expect(await shown()).toEqual(['routed'])
  })

  it('count what was asked of them before they had an instance', async () => {
    const { metrics, resolver, services } = setUp()
    const early = services.get(named('early'))
    early?.metrics.answered(503, 1)
    expect(metrics.services.has('early')).toBe(false)
    resolver.give('early', [instanceOf('early', 'early-1', 1)])
    expect(metrics.services.get('early')?.classes[5]).toBe(1)
  })

  it('prepare for new instances only while they have traffic', () => {
    const { deadlines, resolver, services } = setUp()
    const order = services.get(named('order'))
    if (order === undefined) throw new Error('there is room for one')
    const give = (count: number): void =>
      resolver.give(
        'order',
        Array.from({ length: count }, (_, n) => instanceOf('order', `order-${n + 1}`, 1)),
      )
    const sweeps = (count: number): void => {
      for (let n = 0; n < count; n++) deadlines.sweep()
    }
    give(2)
    sweeps(5)
    expect(order.pools.warmed).toBe(0)
    order.usedAt = deadlines.now
    give(3)
    sweeps(5)
    expect(order.pools.warmed).toBe(1)
    give(4)
    sweeps(5)
    expect(order.pools.warmed).toBe(1)
    services.close()
  })

  it('with instances are not crowded out by invented names', () => {
    const { metrics, services } = setUp()
    const order = services.get(named('order'))
    for (let i = 0; i < 20_000; i++) expect(services.get(named(`invented-${i}`))).toBeDefined()
    expect(services.get(named('order'))).toBe(order)
    expect([...services.all()].length).toBeLessThanOrEqual(4096)
    expect([...metrics.services.keys()]).toEqual(['order'])
  })

  it('say once that picks fail open, and once that they do so no more', async () => {
    const { metrics, logged, resolver, services } = setUp()
    const registry = new Registry()
    exportGatewayMetrics(metrics, registry)
    const gauge = async (): Promise<string | undefined> =>
      /^portolan_gateway_panic\{service="order"\} (\d)/m.exec(await registry.metrics())?.[1]
    services.get(named('order'))
    expect(await gauge()).toBe('0')
    const cause = { kind: 'disconnected', owner: 's', reason: 'silent', since: '' } as const
    const instances = (bad: number) =>
      [1, 2].map(n => instanceOf('order', `order-${n}`, n, { causes: n <= bad ? [cause] : [] }))
    resolver.give('order', instances(1))
    expect(logged).toEqual([])
    resolver.give('order', instances(2))
    resolver.give('order', instances(2))
    expect(await gauge()).toBe('1')
    resolver.give('order', instances(1))
    resolver.give('order', instances(0))
    expect(await gauge()).toBe('0')
    expect(logged).toMatchObject([
      { event: 'panic', service: 'order', instances: 2, level: 40 },
      { event: 'panic-over', service: 'order', level: 30 },
    ])
  })

  it('say nothing while new instances have not been looked at yet, until a check finds against one', () => {
    const { metrics, logged, resolver, services } = setUp()
    const cause = (kind: CauseKind) => ({ kind, owner: 'health', reason: '', since: '' })
    const untested = instanceOf('order', 'order-1', 1, { causes: [cause('starting')] })
    const other = { ...untested, id: 'order-2' }
    resolver.give('order', [untested, other])
    const order = services.get(named('order'))
    expect(metrics.of('order').panic).toBe(true)
    expect(logged).toEqual([])
    resolver.give('order', [{ ...untested, causes: [] }, other])
    expect(metrics.of('order').panic).toBe(false)
    expect(logged).toEqual([])
    resolver.give('order', [untested, { ...other, causes: [cause('starting'), cause('tcp')] }])
    expect(logged).toMatchObject([{ event: 'panic', instances: 2 }])
    order?.close()
  })
})
