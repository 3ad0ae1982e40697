import type { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { fixture } from './testing/fixture.ts'
import { answering, eventually, hello } from './testing/harness.ts'
import { instanceOf } from './testing/static-resolver.ts'

const { gatewayFor, rawUpstream, clientOf } = fixture()

const get = 'GET / HTTP/1.1\r\nHost: order.portolan\r\n\r\n'
const causes = [{ kind: 'draining' as const, owner: 'drain', reason: 'deploy', since: '' }]
const order1 = { namespace: 'default', service: 'order', id: 'order-1' }

describe('an instance that drains', () => {
  async function busy() {
    const waiting: Socket[] = []
    const upstream = await rawUpstream(socket => waiting.push(socket))
    const { gateway, resolver } = await gatewayFor([upstream.port])
    const client = clientOf(gateway.port).send(get)
    await eventually(() => waiting.length === 1)
    return { upstream, gateway, resolver, client, waiting }
  }

  it('is called idle when its last answer is complete, and its connection is closed then and not earlier', async () => {
    const { upstream, resolver, client, waiting } = await busy()
    const next = await rawUpstream(answering(hello))
    resolver.give('order', [
      instanceOf('order', 'order-1', upstream.port, { causes }),
      instanceOf('order', 'order-2', next.port),
    ])
    waiting[0]?.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfi', 'latin1')
    await client.until('fi')
    expect(resolver.idled).toEqual([])
    expect(upstream.sockets.size).toBe(1)
    waiting[0]?.write('rst', 'latin1')
    await client.until('first')
    expect(resolver.idled).toEqual([order1])
    await eventually(() => upstream.sockets.size === 0)
    client.received = ''
    await client.send(get).until('hello')
    expect(upstream.accepted()).toBe(1)
  })

  it('is idle when the last client has left, or its answer has failed', async () => {
    for (const end of ['client', 'upstream'] as const) {
      const { upstream, resolver, client } = await busy()
      resolver.give('order', [instanceOf('order', 'order-1', upstream.port, { causes })])
      if (end === 'client') client.socket.destroy()
      else upstream.kill()
      await eventually(() => resolver.idled.length > 0)
      expect(resolver.idled[0]).toEqual(order1)
    }
  })

  it('is busy with what its earlier registration is asked, and with what another policy picked', async () => {
    const { upstream, gateway, resolver, waiting } = await busy()
    gateway.setRoutes({ routes: [], exposed: 'all', policies: { order: 'random' } })
    resolver.give('order', [instanceOf('order', 'order-1', upstream.port, { incarnation: 2 })])
    expect(resolver.inFlight('order', { id: 'order-1', incarnation: 2 })).toBe(1)
    waiting[0]?.write(hello)
    await eventually(() => resolver.idled.length === 1)
    expect(resolver.inFlight('order', { id: 'order-1', incarnation: 2 })).toBe(0)
  })

  it('that is all there is gets its requests, each on a connection of its own', async () => {
    const upstream = await rawUpstream(answering(hello))
    const { gateway, resolver } = await gatewayFor([])
    resolver.give('order', [instanceOf('order', 'order-1', upstream.port, { causes })])
    for (let request = 1; request <= 3; request++) {
      await clientOf(gateway.port).send(get).until('hello')
      expect(upstream.accepted()).toBe(request)
    }
    await eventually(() => upstream.sockets.size === 0)
  })
})
