import type { Route } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import type { GatewaySettings } from './settings.ts'
import { fixture } from './testing/fixture.ts'
import { answering } from './testing/harness.ts'
import { instanceOf } from './testing/static-resolver.ts'

const { gatewayFor, rawUpstream, clientOf } = fixture()

const saying = (text: string) => answering(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`)

/** A gateway with these routes before `order`, which answers `<old>`, and `order-next`, which answers `<new>`. */
async function routedBy(routes: readonly Route[], settings: Partial<GatewaySettings> = {}) {
  const [order, next] = [await rawUpstream(saying('<old>')), await rawUpstream(saying('<new>'))]
  const { gateway, resolver } = await gatewayFor([order.port], settings, { routes, exposed: 'all' })
  resolver.give('order-next', [instanceOf('order-next', 'next-1', next.port)])
  return { gateway, order, next, client: clientOf(gateway.port) }
}

const get = (fields = '', path = '/') => `GET ${path} HTTP/1.1\r\nHost: shop\r\n${fields}\r\n`

describe('routes', () => {
  it('go by method and headers', async () => {
    const { client } = await routedBy([
      { match: { method: 'GET', headers: { 'X-Canary': 'yes' } }, service: 'order-next' },
      { match: {}, service: 'order' },
    ])
    await client.send(get('x-canary: yes\r\n')).until('<new>')
    await client.send(get('x-canary: no\r\n')).until('<old>')
    client.received = ''
    await client.send(get('x-canary: yes\r\n').replace('GET', 'PUT')).until('<old>')
  })

  it('divide requests, and otherwise from the moment that they are changed', async () => {
    const split = (weight: number): Route[] => [
      {
        match: {},
        split: [
          { service: 'order', weight: 100 - weight },
          { service: 'order-next', weight },
        ],
      },
    ]
    const { client, gateway } = await routedBy(split(50))
    client.send(get().repeat(100))
    await client.until(() => client.received.split('>').length === 101)
    const fresh = client.received.split('<new>').length - 1
    expect(fresh).toBeGreaterThan(25)
    expect(fresh).toBeLessThan(75)
    for (const [weight, text] of [
      [0, '<old>'],
      [100, '<new>'],
    ] as const) {
      gateway.setRoutes({ routes: split(weight), exposed: 'all' })
      client.received = ''
      client.send(get().repeat(50))
      await client.until(() => client.received.split(text).length === 51)
    }
  })

  it('send clients elsewhere, and the connection serves the next request', async () => {
    const { client, order } = await routedBy([
      { match: { path: '/shop' }, redirect: { path: '/store' } },
      { match: {}, service: 'order' },
    ])
    client.send(get('', '/shop/7?x=1')).send(get())
    const answer = await client.until('<old>')
    expect(answer).toMatch(/^HTTP\/1.1 308 Permanent Redirect\r\n/)
    expect(answer).toContain('\r\nLocation: /store/7?x=1\r\n')
    expect(answer).not.toContain('Portolan-Error')
    expect(order.received()).not.toContain('/shop')
  })
})
