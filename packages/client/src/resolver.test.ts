import type { Fault, Instance, View } from '@portolan/core'
import { afterEach, describe, expect, test } from 'vitest'
import type { OpenResolver } from './open-resolver.ts'
import { resolverOver } from './open-resolver.ts'
import { dialWebSocket } from './session/websocket.ts'
import { eventually } from './testing/eventually.ts'
import { hurriedRuntime } from './testing/local-runtime.ts'
import { instanceOf, ScriptedRegistry } from './testing/scripted-registry.ts'

const order = { namespace: 'default', service: 'order' }
const ends: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function startRegistry(): Promise<ScriptedRegistry> {
  const registry = await new ScriptedRegistry({ pingMs: 50, announcedMs: 4000 }).start()
  ends.push(() => registry.stop())
  return registry
}

function open(registry: ScriptedRegistry, faults: Fault[] = []): OpenResolver {
  const resolver = resolverOver(
    { urls: registry.url, onFault: fault => faults.push(fault) },
    { ...hurriedRuntime(20), dial: dialWebSocket },
    {},
  )
  ends.push(() => resolver.close())
  return resolver
}

function follow(resolver: OpenResolver): View[] {
  const views: View[] = []
  resolver.subscribe(order, view => views.push(view))
  return views
}

const draining = (instance: Instance): Instance => ({
  ...instance,
  causes: [{ kind: 'draining', owner: 'drain', reason: 'deploy', since: '2030-01-01T00:00:00.000Z' }],
})

const ids = (view: View | undefined) => view?.set.instances.map(({ id }) => id)

describe('the resolver', () => {
  test('reports in frames that a registry takes, and drops what it cannot send', async () => {
    const registry = await startRegistry()
    const resolver = open(registry)
    const outcomes = Array.from({ length: 4500 }, (_, index) => ({
      id: `i-${index}`,
      incarnation: 1,
      ok: index,
      failed: 0,
    }))
    resolver.report(order, { overMs: 1000, outcomes })
    await eventually('a session', () => resolver.connected)
    resolver.report(order, { overMs: 1000, cpuMs: 7, outcomes })
    const reports = () =>
      registry.peers.flatMap(({ received }) => received.filter(({ type }) => type === 'report'))
    await eventually('the report', () => reports().length === 3)
    expect(reports().map(report => 'cpuMs' in report && report.cpuMs)).toEqual([7, false, false])
    expect(reports().flatMap(report => ('outcomes' in report ? report.outcomes : []))).toEqual(outcomes)
  })

  test('asks once for a service, however many subscribe, and stops with the last', async () => {
    const registry = await startRegistry()
    registry.set('order', [instanceOf('order', 'a')])
    const resolver = open(registry)
    const first: View[] = []
    const stopFirst = resolver.subscribe(order, view => first.push(view))
    await eventually('the first set', () => first.length === 1)
    const second: View[] = []
    const stopSecond = resolver.subscribe(order, view => second.push(view))
    expect(ids(second[0])).toEqual(['a'])
    stopFirst()
    stopFirst()
    registry.set('order', [instanceOf('order', 'a'), instanceOf('order', 'b')])
    await eventually('the next set', () => second.length === 2)
    expect(first).toHaveLength(1)
    stopSecond()
    await eventually('the goodbye', () => registry.of('unwatch').length === 1)
    expect(registry.of('watch')).toHaveLength(1)
  })

  test('says by which set it picks, after everybody has it', async () => {
    const registry = await startRegistry()
    const resolver = open(registry)
    const views = follow(resolver)
    await eventually('the first acknowledgement', () => registry.of('ack').length === 1)
    registry.set('order', [instanceOf('order', 'a')])
    await eventually('the next one', () => registry.of('ack').length === 2)
    expect(registry.of('ack').map(({ cursor }) => cursor)).toEqual(['e1.1', 'e1.2'])
    expect(ids(views.at(-1))).toEqual(['a'])
  })

  test('says that it is idle when nobody has a request under way to a draining instance, after it acknowledged', async () => {
    const registry = await startRegistry()
    const a = instanceOf('order', 'a')
    registry.set('order', [a])
    const resolver = open(registry)
    const load = [1, 1]
    const stops = load.map((_, index) =>
      resolver.subscribe(order, {
        receive() {},
        inFlight: ({ id }) => (id === 'a' ? (load[index] ?? 0) : 0),
      }),
    )
    await eventually('the set', () => registry.of('ack').length === 1)
    resolver.idle({ ...order, id: 'a' })
    registry.set('order', [draining(a)])
    await eventually('the acknowledgement of the drain', () => registry.of('ack').length === 2)
    load[0] = 0
    resolver.idle({ ...order, id: 'a' })
    resolver.idle({ ...order, id: 'b' })
    expect(registry.of('idle')).toEqual([])
    load[1] = 0
    for (let time = 0; time < 3; time++) resolver.idle({ ...order, id: 'a' })
    await eventually('the word', () => registry.of('idle').length > 0)

    // Who fails open to it makes no noise; when the registry has news of it, it is said again.
    registry.set('order', [draining(a), instanceOf('order', 'b')])
    await eventually('the next word', () => registry.of('idle').length > 1)
    const { id, incarnation } = a
    expect(registry.of('idle')).toEqual(Array(2).fill({ type: 'idle', ...order, id, incarnation }))
    registry.add('order', instanceOf('order', 'c'))
    await eventually('the last acknowledgement', () => registry.of('ack').length === 4)
    const said = registry.received.map(({ type }) => type).filter(type => type === 'ack' || type === 'idle')
    expect(said).toEqual(['ack', 'ack', 'idle', 'ack', 'idle', 'ack'])
    for (const stop of stops) stop()
  })

  test('says it again over a new connection, and what became true in between', async () => {
    const registry = await startRegistry()
    const [a, b] = [instanceOf('order', 'a'), instanceOf('order', 'b')]
    registry.set('order', [draining(a), draining(b)])
    const resolver = open(registry)
    let load = 1
    resolver.subscribe(order, { receive() {}, inFlight: ({ id }) => (id === 'b' ? load : 0) })
    await eventually('the first word', () => registry.of('idle').length === 1)
    await registry.stop()
    await eventually('the loss', () => !resolver.connected)
    load = 0
    resolver.idle({ ...order, id: 'b' })
    await registry.start()
    await eventually('both words', () => registry.of('idle').length === 3)
    expect(registry.of('idle').map(({ id }) => id)).toEqual(['a', 'a', 'b'])
    const again = registry.peers.at(-1)?.received.map(({ type }) => type)
    expect(again?.slice(again.indexOf('ack'))).toEqual(['ack', 'idle', 'idle'])
  })

  test('says it when the one who was busy subscribes no more', async () => {
    const registry = await startRegistry()
    registry.set('order', [draining(instanceOf('order', 'a'))])
    const resolver = open(registry)
    const stop = resolver.subscribe(order, { receive() {}, inFlight: () => 1 })
    resolver.subscribe(order, () => {})
    await eventually('the acknowledgement', () => registry.of('ack').length === 1)
    stop()
    await eventually('the word', () => registry.of('idle').length === 1)
  })

  test('serves the last set, marked stale, and goes on from its cursor', async () => {
    const registry = await startRegistry()
    registry.set('order', [instanceOf('order', 'a')])
    const views = follow(open(registry))
    await eventually('the first set', () => views.length === 1)
    const cursor = registry.cursor
    await registry.stop()
    await eventually('staleness', () => views.at(-1)?.stale === true)
    expect(ids(views.at(-1))).toEqual(['a'])
    await registry.start()
    await eventually('freshness', () => views.at(-1)?.stale === false)
    expect(registry.of('watch').at(-1)).toMatchObject({ from: cursor })
    // The registry had nothing newer, so no set was sent again.
    expect(views.at(-1)?.set).toBe(views[0]?.set)
    await eventually('the acknowledgement to the new connection', () => registry.of('ack').length === 2)
  })

  test('a registry that came back with less does not empty its callers', async () => {
    const registry = await startRegistry()
    registry.set('order', [instanceOf('order', 'a'), instanceOf('order', 'b')])
    const views = follow(open(registry))
    await eventually('the first set', () => views.length === 1)
    await registry.stop()
    registry.epoch = 'e2'
    registry.revision = 1
    registry.forget('order')
    await registry.start()
    await eventually('the new epoch', () => views.at(-1)?.set.cursor.epoch === 'e2')
    expect(ids(views.at(-1))).toEqual(['a', 'b'])
    await eventually('the acknowledgement', () => registry.of('ack').at(-1)?.cursor === 'e2.1')
    registry.set('order', [instanceOf('order', 'b')])
    await eventually('the next set', () => views.at(-1)?.set.cursor.revision === 2)
    await eventually('the last one leaves in time', () => ids(views.at(-1))?.join() === 'b')
  })

  test('a receiver that throws costs neither the others nor the connection', async () => {
    const registry = await startRegistry()
    const faults: Fault[] = []
    const resolver = open(registry, faults)
    resolver.subscribe(order, () => {
      throw new Error('mine')
    })
    const views = follow(resolver)
    await eventually('the set', () => views.length === 1)
    expect(faults).toMatchObject([{ code: 'internal' }])
    expect(registry.peers).toHaveLength(1)
  })

  test('asks again after a refusal', async () => {
    const registry = await startRegistry()
    let refusals = 0
    registry.script((request, peer) => {
      if (request.type !== 'watch' || refusals > 0) return false
      refusals += 1
      peer.send({ type: 'failed', seq: request.seq, code: 'forbidden', message: 'not yet', retryable: false })
      return true
    })
    const faults: Fault[] = []
    const views = follow(open(registry, faults))
    await eventually('the set', () => views.length === 1)
    expect(faults).toMatchObject([{ code: 'forbidden' }])
  })

  test('compares itself with the registry, and mends', async () => {
    const registry = await startRegistry()
    registry.set('order', [instanceOf('order', 'a')])
    registry.script((request, peer) => {
      if (request.type === 'compare' && request.count !== 2) peer.send(registry.snapshot('order'))
      return false
    })
    const views = follow(open(registry))
    await eventually('the first set', () => views.length === 1)
    registry.revision += 1
    registry.forget('order', [instanceOf('order', 'a'), instanceOf('order', 'b')])
    await eventually('the comparison', () => ids(views.at(-1))?.length === 2)
    expect(registry.of('compare')[0]).toMatchObject({ service: 'order', cursor: 'e1.2', count: 1 })
  })

  test('compares all that it watches in few messages, and mends', async () => {
    const registry = await startRegistry()
    registry.script((request, peer) => {
      if (request.type !== 'compare-all') return false
      for (const { service, count } of request.views) if (count !== 2) peer.send(registry.snapshot(service))
      return false
    })
    const resolver = open(registry)
    const services = Array.from({ length: 100 }, (_, index) => `s-${index}`)
    const counts = new Map<string, number>()
    for (const service of services) {
      resolver.subscribe({ ...order, service }, ({ set }) => counts.set(service, set.instances.length))
    }
    await eventually('the first sets', () => counts.size === 100)
    registry.revision += 1
    for (const service of services)
      registry.forget(service, [instanceOf(service, 'a'), instanceOf(service, 'b')])
    await eventually('what is new', () => registry.of('compare-all').some(({ views }) => views.length > 1))
    const listed = () => registry.of('compare-all').flatMap(({ views }) => views)
    await eventually('most of them', () => listed().length >= 80)
    for (const { service } of listed().slice(0, 50)) {
      await eventually(`the set of ${service}`, () => counts.get(service) === 2)
    }
    expect(listed().length / registry.of('compare-all').length).toBeGreaterThan(2)
  })

  test('gives the gateway its routes, again after an outage', async () => {
    const registry = await startRegistry()
    const resolver = open(registry)
    const tables: unknown[] = []
    resolver.watchRoutes(table => tables.push(table))
    await eventually('the routes', () => tables.length === 1)
    registry.peers[0]?.drop()
    await eventually('the routes again', () => tables.length === 2)
    const late: unknown[] = []
    resolver.watchRoutes(table => late.push(table))
    expect(late).toEqual([{ routes: [], exposed: 'all' }])
  })
})
