import type { RouteTable } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import { fixture } from './testing/fixture.ts'
import { answering, hello } from './testing/harness.ts'

const { gatewayFor, rawUpstream, clientOf } = fixture()

const get = 'GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n'
const trusting = (trustedProxies: readonly string[]): RouteTable => ({
  routes: [{ match: { path: '/' }, service: 'order' }],
  exposed: 'all',
  trustedProxies,
})

describe('the proxies that a gateway trusts', () => {
  it('are those of its routes, and change with them, for connections that are open too', async () => {
    const upstream = await rawUpstream(answering(hello))
    const { gateway } = await gatewayFor([upstream.port], {}, trusting([]))
    const client = clientOf(gateway.port)
    const forwarded = async (): Promise<string | undefined> => {
      const [answers, requests] = [client.received.length, upstream.received().length]
      client.send(get)
      await client.until(() => client.received.slice(answers).includes('hello'))
      return /x-forwarded-for: (.*)\r/i.exec(upstream.received().slice(requests))?.[1]
    }
    expect(await forwarded()).toBe('127.0.0.1')
    gateway.setRoutes(trusting(['10.0.0.0/8', '127.0.0.0/8', 'a form of the future']))
    expect(await forwarded()).toBe('192.0.2.1, 127.0.0.1')
    gateway.setRoutes(trusting([]))
    expect(await forwarded()).toBe('127.0.0.1')
  })

  it('are those alone that it was started with, where it was', async () => {
    const upstream = await rawUpstream(answering(hello))
    const settings = { trustedProxies: ['192.0.2.0/24'] }
    const { gateway } = await gatewayFor([upstream.port], settings, trusting(['127.0.0.1']))
    await clientOf(gateway.port).send(get).until('hello')
    expect(upstream.received()).toMatch(/x-forwarded-for: 127\.0\.0\.1\r/i)
  })
})
