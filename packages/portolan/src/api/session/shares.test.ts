import type { RateLimitSettings, RouteTable } from '@portolan/core'
import { afterEach, describe, expect, it } from 'vitest'
import { openTested, type Tested } from '../testing/open-tested.ts'
import { openSession, type SessionClient } from '../testing/session-client.ts'

let tested: Tested | undefined
afterEach(() => tested?.close())

const limited = (order?: RateLimitSettings): RouteTable => ({
  routes: [{ match: { path: '/' }, service: 'order' }],
  exposed: 'all',
  ...(order === undefined ? {} : { rateLimits: { order } }),
})

async function open(limit: RateLimitSettings = { qps: 900, burst: 300 }): Promise<string> {
  tested = await openTested()
  tested.setRoutes(limited(limit))
  return tested.url
}

async function gateway(url: string): Promise<SessionClient> {
  const session = await openSession(url, { kind: 'proxy' })
  await session.ask({ type: 'watch-routes', seq: 1 })
  return session
}

const busy = { type: 'demand', service: 'order', perSecond: 2000, tokens: 0 } as const
const near = (qps: number) => (share: { readonly qps: number }) => Math.abs(share.qps - qps) < 1

describe('shares of rate limits', () => {
  it('go to those who ask, and follow who comes and who says goodbye', async () => {
    const url = await open()
    const first = await gateway(url)
    first.send({ type: 'demand', service: 'order', tokens: 0 })
    expect(await first.next('share')).toEqual({
      type: 'share',
      namespace: 'default',
      service: 'order',
      qps: 900,
      burst: 300,
      tokens: 300,
    })
    first.send(busy)
    const second = await gateway(url)
    second.send({ type: 'demand', service: 'order', tokens: 0 })
    expect(await second.next('share')).toMatchObject({ qps: 450, burst: 150 })
    await first.next('share', near(450))
    const since = performance.now()
    await second.close()
    await first.next('share', near(900))
    expect(performance.now() - since).toBeLessThan(2500)
    await first.close()
  })

  it('of one whose connection breaks are kept for some seconds', async () => {
    const url = await open()
    const first = await gateway(url)
    const second = await gateway(url)
    first.send(busy)
    second.send(busy)
    await first.next('share', near(450))
    const since = performance.now()
    second.websocket.terminate()
    const telling = setInterval(() => first.send(busy), 500)
    await first.next('share', near(900)).finally(() => clearInterval(telling))
    expect(performance.now() - since).toBeGreaterThan(2500)
    await first.close()
  }, 15_000)

  it('follow the configuration', async () => {
    const url = await open()
    const only = await gateway(url)
    only.send(busy)
    await only.next('share', near(900))
    tested?.setRoutes(limited({ qps: 100, burst: 10 }))
    expect(await only.next('share', near(100))).toMatchObject({ burst: 10 })
    // From now on each gateway counts for itself, and then there is none.
    for (const limit of [{ qps: 100, burst: 10, by: 'client' }, undefined]) {
      tested?.setRoutes(limited(limit))
      only.send(busy)
    }
    tested?.setRoutes(limited({ qps: 50, burst: 10 }))
    only.send(busy)
    await only.next('share', near(50))
    expect(only.received.filter(({ type }) => type === 'share' || type === 'failed')).toEqual([])
    await only.close()
  })

  it('are not for those who have not asked for the routes; nonsense is refused', async () => {
    const url = await open()
    const session = await openSession(url, { kind: 'proxy' })
    session.send(busy)
    session.send({ ...busy, perSecond: -1 })
    expect(await session.next('failed')).toMatchObject({ code: 'invalid_request' })
    await session.ask({ type: 'watch-routes', seq: 1 })
    expect(session.received.filter(({ type }) => type === 'share')).toEqual([])
    await session.close()
  })
})
