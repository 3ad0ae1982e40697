import type { ConcurrencyLimitSettings, RouteTable } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import { fixture } from '../testing/fixture.ts'
import { answering, eventually, hello } from '../testing/harness.ts'
import { openInstance } from '../testing/storm.ts'
import { limiterSettings } from './concurrency.ts'

const { opened, gatewayFor, rawUpstream, clientOf } = fixture()

const get = (fields = '') => `GET / HTTP/1.1\r\nHost: x\r\n${fields}\r\n`

const tableWith = (settings: ConcurrencyLimitSettings): RouteTable => ({
  routes: [{ match: { path: '/' }, service: 'order' }],
  exposed: [],
  concurrency: { order: settings },
})

/** A gateway that lets so many be under way, before an instance that answers when it is told to. */
async function limited(max: number, more: ConcurrencyLimitSettings = {}) {
  const upstream = await rawUpstream(() => {})
  const { gateway, registry } = await gatewayFor([upstream.port], {}, tableWith({ min: 1, max, ...more }))
  const client = () => clientOf(gateway.port)
  const underWay = (count: number) => eventually(() => upstream.sockets.size === count)
  const answer = (text = hello): void => {
    for (const socket of upstream.sockets) socket.write(text)
  }
  return { upstream, gateway, registry, client, underWay, answer }
}

describe('the concurrency limit', () => {
  it('turns away what is too much, with word when to come again, until there is room', async () => {
    const { client, underWay, answer, registry } = await limited(2)
    const [one, two, three] = [client().send(get()), client().send(get()), client()]
    await underWay(2)
    const refused = await three.send(get()).until('}\n')
    expect(refused).toContain('HTTP/1.1 503 Service Unavailable\r\n')
    expect(refused).toContain('Portolan-Error: shed\r\n')
    expect(refused).toContain('Retry-After: 1\r\n')
    answer()
    await one.until('hello')
    await two.until('hello')
    three.received = ''
    three.send(get())
    await new Promise(resolve => setTimeout(resolve, 20))
    answer()
    await three.until('hello')
    const shown = await registry.metrics()
    expect(shown).toContain('portolan_gateway_shed_total{service="order"} 1')
    expect(shown).toContain('portolan_gateway_concurrency_limit{service="order"} 2')
  })

  it('has room again when clients leave, and when the answer has begun, however long it goes on', async () => {
    const { client, underWay, answer } = await limited(1)
    const leaver = client().send(get())
    await underWay(1)
    leaver.socket.resetAndDestroy()
    await underWay(0)
    const stream = client().send(get())
    await underWay(1)
    answer('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegun\r\n')
    await stream.until('begun')
    client().send(get())
    await underWay(2)
  })

  it('keeps a part for what matters more', async () => {
    const { client, underWay } = await limited(5, {
      lowPriority: { header: 'X-Priority', values: ['batch'] },
    })
    for (let count = 0; count < 4; count++) client().send(get('x-priority: batch\r\n'))
    await underWay(4)
    await client().send(get('X-Priority: batch\r\n')).until('shed')
    client().send(get())
    await underWay(5)
    await client().send(get()).until('shed')
  })

  it('keeps the answers of a service short that has more to do than it can', async () => {
    const instance = await openInstance(8, 20)
    opened.add(instance.close)
    const { gateway } = await gatewayFor([instance.port], {}, tableWith({}))
    const times: number[] = []
    let shed = 0
    const end = performance.now() + 3000
    const clients = Array.from({ length: 60 }, async () => {
      const client = clientOf(gateway.port)
      while (performance.now() < end) {
        const from = performance.now()
        client.received = ''
        await client.send(get()).until('\r\n\r\n')
        if (client.received.includes('503')) {
          shed++
          await new Promise(resolve => setTimeout(resolve, 10))
        } else if (from > end - 1500) times.push(performance.now() - from)
      }
    })
    await Promise.all(clients)
    expect(shed).toBeGreaterThan(100)
    const mean = times.reduce((sum, ms) => sum + ms, 0) / times.length
    // 400 a second are possible; 60 at once would take 150 ms each.
    expect(times.length / 1.5).toBeGreaterThan(250)
    expect(mean).toBeLessThan(90)
  }, 20_000)

  it('is none where nothing says so', async () => {
    const upstream = await rawUpstream(answering(hello))
    const { registry, gateway } = await gatewayFor([upstream.port])
    await clientOf(gateway.port).send(get()).until('hello')
    expect(await registry.metrics()).not.toContain('portolan_gateway_concurrency_limit{')
  })

  it('goes by its own numbers where others make no sense', () => {
    const strange = { min: 'few', max: -1, tolerance: 0 } as unknown as ConcurrencyLimitSettings
    expect(limiterSettings(strange)).toEqual({ min: 5, max: 10_000, tolerance: 1.5 })
    expect(limiterSettings({ min: 50, max: 10 })).toMatchObject({ min: 50, max: 50 })
  })
})
