import type { Fault, ServerMessage, ServiceName } from '@portolan/core'
import { afterEach, describe, expect, test } from 'vitest'
import { type OpenResolver, resolverOver } from './open-resolver.ts'
import { dialWebSocket } from './session/websocket.ts'
import { eventually } from './testing/eventually.ts'
import { hurriedRuntime } from './testing/local-runtime.ts'
import { ScriptedRegistry } from './testing/scripted-registry.ts'

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

function follow(resolver: OpenResolver): string[][] {
  const lists: string[][] = []
  resolver.watchServices(services => lists.push(names(services)))
  return lists
}

const names = (services: readonly ServiceName[]) =>
  services.map(({ namespace, service }) => `${namespace}/${service}`)
const targets = (...services: readonly string[]) => services.map(service => ({ service }))
const whole = (...services: readonly string[]): ServerMessage => ({
  type: 'services',
  services: targets(...services),
})
const change = (put: readonly string[], gone: readonly string[]): ServerMessage => ({
  type: 'services',
  put: targets(...put),
  gone: targets(...gone),
})

/** Has the registry answer the question with this list. */
function telling(registry: ScriptedRegistry, ...services: readonly string[]): void {
  registry.script((request, peer) => {
    if (request.type === 'watch-services') peer.send(whole(...services))
    return false
  })
}

describe('the catalogue', () => {
  test('is asked for once, told in order, and told at once to those who come later', async () => {
    const registry = await startRegistry()
    telling(registry, 'pay', 'order')
    const resolver = open(registry)
    const lists = follow(resolver)
    await eventually('the list', () => lists.length === 1)
    expect(lists).toEqual([['default/order', 'default/pay']])
    registry.peers[0]?.send(change(['cart'], ['pay']))
    await eventually('the change', () => lists.length === 2)
    expect(lists[1]).toEqual(['default/cart', 'default/order'])
    expect(follow(resolver)).toEqual([['default/cart', 'default/order']])
    expect(registry.of('watch-services')).toHaveLength(1)
  })

  test('is not asked for while nobody wants to know', async () => {
    const registry = await startRegistry()
    const resolver = open(registry)
    await eventually('a session', () => resolver.connected)
    follow(resolver)
    await eventually('the question', () => registry.of('watch-services').length === 1)
    expect(registry.received.map(({ type }) => type)).toEqual(['hello', 'watch-services'])
  })

  test('keeps the last list through an outage, and tells of it only what is new', async () => {
    const registry = await startRegistry()
    telling(registry, 'order', 'pay')
    const resolver = open(registry)
    const lists = follow(resolver)
    await eventually('the list', () => lists.length === 1)
    await registry.stop()
    await eventually('the outage', () => !resolver.connected)
    expect(follow(resolver)).toEqual([['default/order', 'default/pay']])
    await registry.start()
    await eventually('the same list again', () => registry.of('watch-services').length === 2)
    registry.peers.at(-1)?.send(change(['cart'], []))
    await eventually('the change', () => lists.length === 2)
    telling(registry, 'cart')
    registry.peers.at(-1)?.drop()
    await eventually('another list', () => lists.length === 3)
    expect(lists.slice(1)).toEqual([['default/cart', 'default/order', 'default/pay'], ['default/cart']])
  })

  test('takes no change of a list that it has not been told over this connection', async () => {
    const registry = await startRegistry()
    telling(registry, 'order')
    const resolver = open(registry)
    const lists = follow(resolver)
    await eventually('the list', () => lists.length === 1)
    registry.script((request, peer) => {
      if (request.type !== 'watch-services') return false
      peer.send(change(['stray'], ['order']))
      peer.send(whole('order', 'pay'))
      return false
    })
    registry.peers[0]?.drop()
    await eventually('the next list', () => lists.length === 2)
    expect(lists[1]).toEqual(['default/order', 'default/pay'])
  })

  test('of an older registry is a fault that is told once a connection, and costs nothing else', async () => {
    const registry = await startRegistry()
    registry.script((request, peer) => {
      if (request.type !== 'watch-services') return false
      const { seq } = request
      peer.send({ type: 'failed', seq, code: 'invalid_request', message: 'unknown type', retryable: false })
      return true
    })
    const faults: Fault[] = []
    const resolver = open(registry, faults)
    const lists = follow(resolver)
    await eventually('the fault', () => faults.length === 1)
    expect(faults[0]).toMatchObject({ code: 'invalid_request' })
    const views: unknown[] = []
    resolver.subscribe({ namespace: 'default', service: 'order' }, view => views.push(view))
    await eventually('a set', () => views.length === 1)
    // Comparisons are as far apart as questions after a refusal would be.
    await eventually('time enough to ask again', () => registry.of('compare').length === 3)
    expect(registry.of('watch-services')).toHaveLength(1)
    expect(lists).toEqual([])
    telling(registry, 'order')
    registry.peers[0]?.drop()
    await eventually('the list of a newer one', () => lists.length === 1)
  })

  test('that is refused is asked for again', async () => {
    const registry = await startRegistry()
    let refusals = 0
    registry.script((request, peer) => {
      if (request.type !== 'watch-services') return false
      if (refusals++ > 0) peer.send(whole('order'))
      else
        peer.send({
          type: 'failed',
          seq: request.seq,
          code: 'forbidden',
          message: 'not you',
          retryable: false,
        })
      return refusals === 1
    })
    const lists = follow(open(registry))
    await eventually('the list', () => lists.length === 1)
    expect(registry.of('watch-services')).toHaveLength(2)
  })

  test('a receiver that throws costs neither the others nor the connection', async () => {
    const registry = await startRegistry()
    telling(registry, 'order')
    const faults: Fault[] = []
    const resolver = open(registry, faults)
    resolver.watchServices(() => {
      throw new Error('mine')
    })
    const lists = follow(resolver)
    await eventually('the list', () => lists.length === 1)
    expect(faults).toMatchObject([{ code: 'internal' }])
    expect(resolver.connected).toBe(true)
  })

  test('that is malformed ends the connection', async () => {
    const registry = await startRegistry()
    const faults: Fault[] = []
    follow(open(registry, faults))
    await eventually('the question', () => registry.of('watch-services').length === 1)
    registry.peers[0]?.sendText('{"type":"services","put":[{"service":"a"}]}')
    await eventually('the fault', () => faults.some(({ code }) => code === 'protocol_unsupported'))
  })
})
