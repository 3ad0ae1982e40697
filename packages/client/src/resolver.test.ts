import type { Fault, View } from '@portolan/core'
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

const ids = (view: View | undefined) => view?.set.instances.map(({ id }) => id)

describe('the resolver', () => {
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
