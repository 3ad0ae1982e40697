import type { RouteTable } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import type { GatewaySettings } from '../settings.ts'
import { fixture } from '../testing/fixture.ts'
import { answering, eventually, hello } from '../testing/harness.ts'

const { gatewayFor, rawUpstream, clientOf } = fixture()

const get = (fields = '') => `GET / HTTP/1.1\r\nHost: shop\r\n${fields}\r\n`
const post = 'POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 4\r\n\r\n'
const within = (timeoutMs: number): RouteTable => ({
  routes: [{ match: {}, service: 'order', timeoutMs }],
  exposed: [],
})
const toldMs = (received: string) =>
  [...received.matchAll(/^X-Request-Timeout-Ms: (.*)\r$/gim)].map(([, ms]) => Number(ms))

/** It takes a moment to open the connection. */
const about = (ms: number) => expect.toSatisfy((told: number) => told > ms - 300 && told <= ms)

async function silent() {
  return rawUpstream(() => {})
}

async function gatewayBefore(
  ports: readonly number[],
  table: RouteTable,
  settings: Partial<GatewaySettings> = {},
) {
  const { gateway, resolver } = await gatewayFor(ports, settings, table)
  return { gateway, resolver, client: clientOf(gateway.port) }
}

describe('deadline', () => {
  it('ends a request that is not answered, lets go of the instance, and serves the next', async () => {
    const upstream = await silent()
    const { client, gateway } = await gatewayBefore([upstream.port], within(150))
    const began = performance.now()
    const answer = await client.send(get()).until('}\n')
    expect(performance.now() - began).toBeGreaterThanOrEqual(150)
    expect(answer).toMatch(/^HTTP\/1.1 504 Gateway Timeout\r\n/)
    expect(answer).toContain('Portolan-Error: deadline_exceeded\r\n')
    await eventually(() => upstream.sockets.size === 0)
    expect(gateway.stats.services.get('order')?.deadlineExceeded).toBe(1)
    client.received = ''
    await client.send(get()).until('deadline_exceeded')
    expect(gateway.stats.services.get('order')?.deadlineExceeded).toBe(2)
  })

  it('takes the service’s time where the route has none, and none where the route says so', async () => {
    const upstream = await silent()
    const table: RouteTable = {
      routes: [{ match: { path: '/slow' }, service: 'order', timeoutMs: 0 }],
      exposed: 'all',
      timeouts: { order: 100 },
    }
    const { client, gateway } = await gatewayBefore([upstream.port], table)
    const patient = clientOf(gateway.port).send('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n')
    await client.send('GET / HTTP/1.1\r\nHost: order.portolan\r\n\r\n').until('deadline_exceeded')
    expect(patient.received).toBe('')
  })

  it('counts until the answer’s head: its body may take longer', async () => {
    const upstream = await rawUpstream(socket => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na')
      setTimeout(() => socket.write('b'), 400)
    })
    const { client } = await gatewayBefore([upstream.port], within(150))
    expect(await client.send(get()).until('\r\n\r\nab')).toMatch(/^HTTP\/1.1 200/)
  })

  it('gives a request all of it, where a gateway waits less by itself', async () => {
    const upstream = await rawUpstream(socket => void setTimeout(() => socket.write(hello), 300))
    const { client } = await gatewayBefore([upstream.port], within(5000), { responseMs: 100 })
    expect(await client.send(get()).until('hello')).toMatch(/^HTTP\/1.1 200/)
  })

  it('counts the upload, and the wait for an instance', async () => {
    const upstream = await silent()
    const { client, resolver } = await gatewayBefore([upstream.port], within(150))
    expect(await client.send(`${post}x`).until('}\n')).toContain('deadline_exceeded')
    await client.untilEnd()
    resolver.give('order', [])
    const table: RouteTable = { routes: [{ match: {}, service: 'later', timeoutMs: 100 }], exposed: [] }
    const { client: waiting } = await gatewayBefore([], table, { resolveMs: 5000 })
    expect(await waiting.send(get()).until('}\n')).toContain('deadline_exceeded')
  })

  it('tells the instance, in place of what a client says that nobody trusts', async () => {
    const upstream = await rawUpstream(answering(hello))
    const { client } = await gatewayBefore([upstream.port], within(2000))
    await client.send(get('x-request-timeout-ms: 5\r\nX-Request-Timeout-MS: 6\r\n')).until('hello')
    expect(toldMs(upstream.received())).toEqual([about(2000)])
  })

  it('heeds what a trusted proxy has left: less, but no more', async () => {
    const upstream = await rawUpstream(answering(hello))
    const { client } = await gatewayBefore([upstream.port], within(2000), { trustedProxies: ['127.0.0.1'] })
    for (const ms of ['700', '9000', 'soon', '-1', '']) {
      client.received = ''
      await client.send(get(`X-Request-Timeout-Ms: ${ms}\r\n`)).until('hello')
    }
    expect(toldMs(upstream.received())).toEqual([700, 2000, 2000, 2000, 2000].map(about))
    await client.send(get('X-Request-Timeout-Ms: 0\r\n')).until('deadline_exceeded')
    expect(toldMs(upstream.received())).toHaveLength(5)
  })

  it('lets no claim of a client that nobody trusts pass, where there is no time either', async () => {
    const upstream = await rawUpstream(answering(hello))
    const table: RouteTable = { routes: [{ match: {}, service: 'order' }], exposed: [] }
    const { client } = await gatewayBefore([upstream.port], table)
    await client.send(get('X-Request-Timeout-Ms: 5\r\nX_Request_Timeout_Ms: 6\r\n')).until('hello')
    expect(upstream.received()).not.toMatch(/timeout/i)
  })

  it('is what a trusted proxy has left, where there is no time here', async () => {
    const upstream = await silent()
    const table: RouteTable = { routes: [{ match: {}, service: 'order' }], exposed: [] }
    const { client } = await gatewayBefore([upstream.port], table, { trustedProxies: ['127.0.0.1'] })
    expect(await client.send(get('X-Request-Timeout-Ms: 150\r\n')).until('}\n')).toContain(
      'deadline_exceeded',
    )
    expect(toldMs(upstream.received())).toEqual([about(150)])
    client.received = ''
    expect(await client.send(get('X-Request-Timeout-Ms: 0\r\n')).until('}\n')).toContain('deadline_exceeded')
    client.send(get('X-Request-Timeout-Ms: soon\r\n'))
    await eventually(() => upstream.received().split('GET /').length === 3)
    expect(toldMs(upstream.received())).toHaveLength(1)
  })

  it('tells at a second try what is left by then', async () => {
    const good = await rawUpstream(answering(hello))
    const lossy = await rawUpstream(socket => void setTimeout(() => socket.destroy(), 200))
    const { client } = await gatewayBefore([lossy.port, good.port], within(3000))
    for (let i = 0; i < 4 && lossy.received() === ''; i++) {
      client.received = ''
      await client.send(get()).until('hello')
    }
    expect(toldMs(lossy.received())).toEqual([about(3000)])
    const left = toldMs(good.received()).at(-1) ?? 0
    expect(left).toBeGreaterThan(1000)
    expect(left).toBeLessThanOrEqual(2800)
  })
})
