import type { RouteTable } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import { fixture } from '../testing/fixture.ts'
import { answering, eventually, hello } from '../testing/harness.ts'

const { gatewayFor, rawUpstream, clientOf } = fixture()

const table = (qps: number, burst: number): RouteTable => ({
  routes: [{ match: { path: '/' }, service: 'order' }],
  exposed: 'all',
  rateLimits: { order: { qps, burst } },
})

async function limitedTo(qps: number, burst: number) {
  const upstream = await rawUpstream(answering(hello))
  const { gateway, resolver, registry } = await gatewayFor([upstream.port], {}, table(qps, burst))
  const client = clientOf(gateway.port)
  const passes = async (): Promise<boolean> => {
    client.received = ''
    client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    return (await client.until(() => /hello|\}\n/.test(client.received))).includes(' 200 OK')
  }
  return { gateway, resolver, registry, passes }
}

describe('a service’s limit at one gateway of several', () => {
  it('is all of it until a share comes; then the share, of which nothing is passed twice', async () => {
    const { resolver, passes, registry } = await limitedTo(0.002, 4)
    expect(resolver.demands).toEqual([{ tokens: 0 }])
    expect([await passes(), await passes()]).toEqual([true, true])
    resolver.claimants.get('order')?.receive({ qps: 0.001, burst: 3, tokens: 3 })
    expect([await passes(), await passes()]).toEqual([true, false])
    expect(await registry.metrics()).toContain('portolan_gateway_rate_limit_share{service="order"} 0.001')
    resolver.claimants.get('order')?.receive({ qps: 0.001, burst: 2, tokens: 1 })
    expect([await passes(), await passes()]).toEqual([true, false])
  })

  it('tells what it is asked for, and what it gives back', async () => {
    const { resolver, passes } = await limitedTo(1000, 50)
    resolver.claimants.get('order')?.receive({ qps: 500, burst: 50, tokens: 50 })
    for (let count = 0; count < 10; count++) await passes()
    await eventually(() => resolver.demands.some(({ perSecond = 0 }) => perSecond > 0))
    expect(resolver.demands.at(-1)?.qps).toBe(500)
    await eventually(() => (resolver.demands.at(-1)?.tokens ?? 0) > 40)
    resolver.claimants.get('order')?.receive({ qps: 500, burst: 10 })
    expect(resolver.demands.at(-1)?.back).toBeGreaterThan(30)
    expect(resolver.demands.at(-1)?.tokens).toBeCloseTo(10)
  })

  it('is given up when the configuration has no limit any more, and when the gateway closes', async () => {
    const { gateway, resolver } = await limitedTo(1, 1)
    gateway.setRoutes({ routes: table(1, 1).routes, exposed: 'all' })
    expect(resolver.claimants.size).toBe(0)
    gateway.setRoutes(table(1, 1))
    expect(resolver.claimants.size).toBe(1)
    await gateway.close()
    expect(resolver.claimants.size).toBe(0)
    const told = resolver.demands.length
    await new Promise(resolve => setTimeout(resolve, 150))
    expect(resolver.demands.length).toBe(told)
  })
})
