import type { RateLimitSettings, Route, RouteTable } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import { fixture } from '../testing/fixture.ts'
import { answering, hello } from '../testing/harness.ts'

const { gatewayFor, rawUpstream, clientOf } = fixture()

/** So slow that no test sees a second one come. */
const once = { qps: 0.001, burst: 1 }

const table = (service?: RateLimitSettings, route?: RateLimitSettings, more: readonly Route[] = []) => ({
  routes: [
    ...more,
    { match: { path: '/' }, service: 'order', ...(route === undefined ? {} : { rateLimit: route }) },
  ],
  exposed: 'all' as const,
  ...(service === undefined ? {} : { rateLimits: { order: service } }),
})

async function behind(routes: RouteTable, trustedProxies: readonly string[] = []) {
  const upstream = await rawUpstream(answering(hello))
  const { gateway, registry } = await gatewayFor([upstream.port], { trustedProxies }, routes)
  const client = clientOf(gateway.port)
  const get = async (path = '/', ...lines: readonly string[]): Promise<string> => {
    client.received = ''
    const head = [`GET ${path} HTTP/1.1`, 'Host: x', ...lines, '', ''].join('\r\n')
    return await client.send(head).until(() => /hello|\}\n/.test(client.received))
  }
  const statuses = async (...heads: readonly (readonly string[])[]): Promise<readonly number[]> => {
    const found: number[] = []
    for (const lines of heads) found.push(Number((await get('/', ...lines)).slice(9, 12)))
    return found
  }
  return { gateway, registry, get, statuses }
}

describe('rate-limit', () => {
  it('answers what is too much with 429 and when to come back, and the connection goes on', async () => {
    const { get, registry } = await behind(table({ qps: 0.5, burst: 2 }))
    expect(await get()).toContain('200 OK')
    expect(await get()).toContain('200 OK')
    const answer = await get()
    expect(answer).toMatch(/^HTTP\/1.1 429 Too Many Requests\r\n/)
    expect(answer).toContain('Portolan-Error: rate_limited\r\n')
    expect(answer).toMatch(/\r\nRetry-After: 2\r\n/)
    expect(answer).not.toContain('Connection: close')
    const metrics = await registry.metrics()
    expect(metrics).toContain('portolan_gateway_rate_limited_total{service="order"} 1')
    expect(metrics).toContain('portolan_gateway_errors_total{code="rate_limited"} 1')
    expect(metrics).toContain('portolan_gateway_requests_total{service="order",class="4xx"} 1')
  })

  it('says at least one second, and at most an hour', async () => {
    const { get, gateway } = await behind(table({ qps: 20, burst: 1 }))
    await get()
    expect(await get()).toContain('Retry-After: 1\r\n')
    gateway.setRoutes(table({ qps: 1e-6, burst: 1 }))
    await get()
    expect(await get()).toContain('Retry-After: 3600\r\n')
  })

  it('limits a route, and the service; what one turns away costs the other nothing', async () => {
    const other: Route = { match: { path: '/free' }, service: 'order' }
    const { get } = await behind(table(once, { qps: 0.001, burst: 2 }, [other]))
    expect(await get('/free')).toContain('200 OK')
    // The service has no more; the route keeps its two.
    for (let count = 0; count < 5; count++) expect(await get('/')).toContain('429 Too Many')
    expect(await get('/free')).toContain('429 Too Many')
  })

  it('keeps what was taken over a new route table', async () => {
    const { get, gateway } = await behind(table(once))
    expect(await get()).toContain('200 OK')
    gateway.setRoutes(table({ qps: 0.002, burst: 1 }))
    expect(await get()).toContain('429 Too Many')
    gateway.setRoutes(table())
    expect(await get()).toContain('200 OK')
    gateway.setRoutes(table(undefined, once))
    expect(await get()).toContain('200 OK')
    gateway.setRoutes(table(undefined, { qps: 0.001, burst: 5 }))
    expect(await get()).toContain('429 Too Many')
  })

  it('limits by header: each value, and all that have none together', async () => {
    const { statuses } = await behind(table({ ...once, by: 'header:X-Key' }))
    expect(await statuses(['X-Key: a'], ['x-key: b'], ['X-Key: a'], [], ['X-Key:'], ['X-Key: c'])).toEqual([
      200, 200, 429, 200, 429, 200,
    ])
    const long = 'k'.repeat(5000)
    expect(await statuses([`X-Key: ${long}1`], [`X-Key: ${long}2`], [`X-Key: ${long}1`])).toEqual([
      200, 200, 429,
    ])
  })

  it('limits by client: its own address, or the one that a trusted proxy has seen', async () => {
    const plain = await behind(table({ ...once, by: 'client' }))
    expect(await plain.statuses(['X-Forwarded-For: 1.1.1.1'], ['X-Forwarded-For: 2.2.2.2'])).toEqual([
      200, 429,
    ])
    const proxied = await behind(table({ ...once, by: 'client' }), ['127.0.0.0/8'])
    const from = (list: string) => [`X-Forwarded-For: ${list}`]
    expect(
      await proxied.statuses(
        from('1.1.1.1'),
        from('2.2.2.2'),
        from('9.9.9.9, 1.1.1.1'),
        from('2001:db8::1'),
        from('2001:db8::2:0:0:1'),
        from('2001:db8:0:1::1'),
        [],
        [],
      ),
    ).toEqual([200, 200, 429, 200, 429, 200, 200, 429])
  })

  it('does not limit by what only a newer registry knows', async () => {
    const { statuses } = await behind(table({ ...once, by: 'planet' }))
    expect(await statuses([], [])).toEqual([200, 200])
  })
})
