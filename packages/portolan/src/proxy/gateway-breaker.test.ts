import type { Socket } from 'node:net'
import { type BreakerSettings, breakerDefaults } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import { fixture } from './testing/fixture.ts'
import {
  answering,
  eventually,
  hello,
  instancesOf,
  type RawClient,
  type RawUpstream,
} from './testing/harness.ts'

const { gatewayFor, rawUpstream, clientOf } = fixture()

const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
const numbered = (n: number): string => `GET /${n} HTTP/1.1\r\nHost: a\r\n\r\n`

/** An upstream whose answers wait until they are asked for, one by one, in the order of the requests. */
async function slowUpstream() {
  const asked: { readonly socket: Socket; readonly path: string }[] = []
  const upstream = await rawUpstream((socket, text) => {
    for (const [, path = ''] of text.matchAll(/^[A-Z]+ (\S+) HTTP/gm)) asked.push({ socket, path })
  })
  const answer = (response = hello): void => {
    const next = asked.shift()
    if (next === undefined) throw new Error('nothing to answer')
    next.socket.write(response)
  }
  return { upstream, asked, answer }
}

function gatewayTo(
  upstreams: readonly Pick<RawUpstream, 'port'>[],
  breaker: Partial<BreakerSettings>,
  more: object = {},
) {
  const ports = upstreams.map(({ port }) => port)
  return gatewayFor(ports, { breaker: { ...breakerDefaults, ...breaker }, ...more })
}

describe('when a service is full', () => {
  it('requests wait in the order in which they came, and get connections that are let go', async () => {
    const { upstream, asked, answer } = await slowUpstream()
    const { gateway } = await gatewayTo([upstream], { connections: 1, queueTimeoutMs: 60_000 })
    const clients: RawClient[] = []
    const stats = gateway.stats.of('order')
    for (let n = 1; n <= 5; n++) {
      clients.push(clientOf(gateway.port).send(numbered(n)))
      if (n === 1) await eventually(() => asked.length === 1)
      else await eventually(() => stats.load?.pools.pending === n - 1)
    }
    const order: string[] = []
    for (const client of clients) {
      await eventually(() => asked.length === 1)
      order.push(asked[0]?.path ?? '')
      answer()
      await client.until('hello')
    }
    expect(order).toEqual(['/1', '/2', '/3', '/4', '/5'])
    expect(upstream.accepted()).toBe(1)
    expect(stats).toMatchObject({ queued: 4, retries: 0, struck: { pending: 0, queueTimeout: 0 } })
    expect(stats.load).toMatchObject({ underWay: 0, pools: { pending: 0, open: 1 } })
  })

  it('a request goes to an instance with room instead, without cost to the retry budget', async () => {
    const full = await slowUpstream()
    const other = await slowUpstream()
    const { gateway } = await gatewayTo([full.upstream, other.upstream], { connections: 2, pending: 0 })
    const stats = gateway.stats.of('order')
    const clients = Array.from({ length: 4 }, () => clientOf(gateway.port).send(get))
    await eventually(() => full.asked.length === 2 && other.asked.length === 2)
    const fifth = await clientOf(gateway.port).send(get).until('}\n')
    expect(fifth).toMatch(/^HTTP\/1\.1 503 [\s\S]*Portolan-Error: too_many_pending\r\nRetry-After: 1\r\n/)
    expect(stats).toMatchObject({ retries: 0, struck: { connections: 1, pending: 1 } })
    for (let n = 0; n < 2; n++) {
      full.answer()
      other.answer()
    }
    for (const client of clients) await client.until('hello')
  })

  it('the first connection of whatever instance serves who waits, and one that closes makes room for another', async () => {
    const one = await slowUpstream()
    const two = await slowUpstream()
    const { gateway } = await gatewayTo([one.upstream, two.upstream], {
      connections: 1,
      queueTimeoutMs: 60_000,
    })
    const stats = gateway.stats.of('order')
    clientOf(gateway.port).send(get)
    clientOf(gateway.port).send(get)
    await eventually(() => one.asked.length === 1 && two.asked.length === 1)
    const third = clientOf(gateway.port).send(numbered(3))
    const fourth = clientOf(gateway.port).send(numbered(4))
    await eventually(() => stats.load?.pools.pending === 2)
    two.answer()
    await eventually(() => two.asked[0]?.path === '/3')
    one.answer(hello.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))
    await eventually(() => one.asked[0]?.path === '/4')
    one.answer()
    two.answer()
    await Promise.all([third.until('hello'), fourth.until('hello')])
    expect([one.upstream.accepted(), two.upstream.accepted()]).toEqual([2, 1])
  })

  it('who waits too long gets 503 queue_timeout, and its connection goes on', async () => {
    const { upstream, asked, answer } = await slowUpstream()
    const { gateway } = await gatewayTo([upstream], { connections: 1, queueTimeoutMs: 60 })
    clientOf(gateway.port).send(get)
    await eventually(() => asked.length === 1)
    const late = clientOf(gateway.port).send(get)
    await late.until('}\n')
    expect(late.received).toMatch(
      /^HTTP\/1\.1 503 [\s\S]*Portolan-Error: queue_timeout\r\nRetry-After: 1\r\n/,
    )
    expect(gateway.stats.of('order').struck.queueTimeout).toBe(1)
    answer()
    late.received = ''
    late.send(get)
    await eventually(() => asked.length === 1)
    answer()
    await late.until('hello')
  })

  it('nobody in line is sent away before its time', async () => {
    const { upstream, asked } = await slowUpstream()
    const { gateway } = await gatewayTo([upstream], { connections: 1, queueTimeoutMs: 100 }, { sweepMs: 200 })
    clientOf(gateway.port).send(get)
    await eventually(() => asked.length === 1)
    for (let n = 0; n < 6; n++) {
      await new Promise(resolve => setTimeout(resolve, 35 * n))
      const began = performance.now()
      await clientOf(gateway.port).send(get).until('Portolan-Error: queue_timeout')
      expect(performance.now() - began).toBeGreaterThanOrEqual(100)
    }
  })

  it('who leaves is out of line, and costs nobody its place', async () => {
    const { upstream, asked, answer } = await slowUpstream()
    const { gateway } = await gatewayTo([upstream], { connections: 1, queueTimeoutMs: 60_000 })
    const { load } = gateway.stats.of('order')
    clientOf(gateway.port).send(get)
    await eventually(() => asked.length === 1)
    const leaver = clientOf(gateway.port).send(numbered(2))
    await eventually(() => load?.pools.pending === 1)
    const stayer = clientOf(gateway.port).send(numbered(3))
    await eventually(() => load?.pools.pending === 2)
    leaver.socket.resetAndDestroy()
    await eventually(() => load?.pools.pending === 1)
    answer()
    await eventually(() => asked[0]?.path === '/3')
    answer()
    await stayer.until('hello')
    expect(load?.underWay).toBe(0)
    expect(upstream.received()).not.toContain('/2')
  })

  it('a body is read on while its request waits, as far as it is kept, and sent whole', async () => {
    const { upstream, asked, answer } = await slowUpstream()
    const { gateway } = await gatewayTo([upstream], { connections: 1, queueTimeoutMs: 60_000 })
    clientOf(gateway.port).send(get)
    await eventually(() => asked.length === 1)
    const body = 'x'.repeat(300_000)
    const poster = clientOf(gateway.port)
    poster.send(`POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
    await eventually(() => gateway.stats.of('order').load?.pools.pending === 1)
    answer()
    await eventually(() => upstream.received().endsWith(body))
    answer()
    await poster.until('hello')
  })

  it('a new instance, a limit raised and an instance that is well again make room', async () => {
    const one = await slowUpstream()
    const two = await rawUpstream(answering(hello))
    const { gateway, resolver } = await gatewayTo([one.upstream], { connections: 1, queueTimeoutMs: 60_000 })
    const stats = gateway.stats.of('order')
    clientOf(gateway.port).send(get)
    await eventually(() => one.asked.length === 1)
    const second = clientOf(gateway.port).send(get)
    await eventually(() => stats.load?.pools.pending === 1)
    gateway.setRoutes({
      routes: [{ match: { path: '/' }, service: 'order' }],
      exposed: 'all',
      breakers: { order: { connections: 2 } },
    })
    await eventually(() => one.asked.length === 2)
    const third = clientOf(gateway.port).send(get)
    await eventually(() => stats.load?.pools.pending === 1)
    resolver.give('order', instancesOf([one.upstream.port, two.port]))
    await third.until('hello')
    one.answer()
    one.answer()
    await second.until('hello')
  })

  it('no connection is granted to an instance that may not be picked', async () => {
    const ill = await slowUpstream()
    const well = await slowUpstream()
    const { gateway, resolver } = await gatewayTo([ill.upstream, well.upstream], {
      connections: 1,
      queueTimeoutMs: 60_000,
    })
    const stats = gateway.stats.of('order')
    clientOf(gateway.port).send(get)
    clientOf(gateway.port).send(get)
    await eventually(() => ill.asked.length === 1 && well.asked.length === 1)
    const third = clientOf(gateway.port).send(get)
    await eventually(() => stats.load?.pools.pending === 1)
    const [first, ...rest] = instancesOf([ill.upstream.port, well.upstream.port])
    if (first === undefined) throw new Error('two were made')
    const causes = [{ kind: 'http' as const, owner: 'x', reason: 'ill', since: '' }]
    resolver.give('order', [{ ...first, causes }, ...rest])
    ill.answer()
    await eventually(() => stats.classes[2] === 1)
    expect(stats.load?.pools.pending).toBe(1)
    well.answer()
    await eventually(() => well.asked.length === 1)
    well.answer()
    await third.until('hello')
    expect(ill.upstream.received().match(/GET/g)).toHaveLength(1)
  })

  it('instances that refuse fail who waits elsewhere, or at all, but leave nobody waiting', async () => {
    const { upstream, asked } = await slowUpstream()
    const { gateway } = await gatewayTo([upstream], { connections: 1, queueTimeoutMs: 60_000 })
    const clients = [clientOf(gateway.port).send(get)]
    await eventually(() => asked.length === 1)
    for (let n = 0; n < 4; n++) clients.push(clientOf(gateway.port).send(get))
    await eventually(() => gateway.stats.of('order').load?.pools.pending === 4)
    upstream.kill()
    for (const client of clients) await client.until('HTTP/1.1 502')
    expect(gateway.stats.of('order').load).toMatchObject({ underWay: 0, pools: { pending: 0, open: 0 } })
  })

  it('more requests than may be under way get 503 too_many_in_flight', async () => {
    const { upstream, asked, answer } = await slowUpstream()
    const { gateway, registry } = await gatewayTo([upstream], { requests: 2 })
    const first = [1, 2].map(() => clientOf(gateway.port).send(get))
    await eventually(() => asked.length === 2)
    const third = clientOf(gateway.port).send(get)
    await third.until('Portolan-Error: too_many_in_flight\r\nRetry-After: 1\r\n')
    answer()
    answer()
    for (const client of first) await client.until('hello')
    third.received = ''
    third.send(get)
    await eventually(() => asked.length === 1)
    answer()
    await third.until('hello')
    const shown = await registry.metrics()
    expect(shown).toContain('portolan_gateway_breaker_limit{service="order",limit="requests"} 2\n')
    expect(shown).toContain('portolan_gateway_breaker_struck_total{service="order",limit="requests"} 1\n')
    expect(shown).toContain('portolan_gateway_upstream_connections{service="order"} 2\n')
  })
})
