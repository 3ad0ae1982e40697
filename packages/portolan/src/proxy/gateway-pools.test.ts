import { breakerDefaults, type GatewayLimits, limitDefaults } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import { fixture, openings } from './testing/fixture.ts'
import { answering, eventually, hello, instancesOf, Opened, type RawClient } from './testing/harness.ts'
import { instanceOf } from './testing/static-resolver.ts'

const { gatewayFor, rawUpstream, clientOf } = fixture()

const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

function limits(own: Partial<GatewayLimits>): { readonly limits: GatewayLimits } {
  return { limits: { ...limitDefaults, ...own } }
}

async function ask(client: RawClient): Promise<void> {
  client.received = ''
  await client.send(get).until('hello')
}

describe('connections to instances', () => {
  it('are renewed between two requests when they have grown old, never within one', async () => {
    const upstream = await rawUpstream(answering(hello))
    const { gateway } = await gatewayFor([upstream.port], limits({ poolMaxLifetimeMs: 200 }))
    const client = clientOf(gateway.port)
    const began = performance.now()
    let asked = 0
    for (; upstream.accepted() < 4; asked++) await ask(client)
    expect(asked).toBeGreaterThan(4)
    expect(performance.now() - began).toBeGreaterThan(3 * 180 - 4 * 20)
    expect(gateway.stats.of('order').retries).toBe(0)
    // An old one that carries an answer is left alone until that is whole.
    const slow = await rawUpstream(socket => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello')
      setTimeout(() => socket.write('world'), 500)
    })
    const other = await gatewayFor([slow.port], limits({ poolMaxLifetimeMs: 50 }))
    await clientOf(other.gateway.port).send(get).until('helloworld')
    await eventually(() => slow.sockets.size === 0)
  })

  it.concurrent.for([
    ['timeout=2', 1000],
    ['max=7, Timeout=2', 1000],
    ['timeout=3600', 1500],
    ['timeout=x', 1500],
    ['max=5', 1500],
  ] as const)('whose peer says "Keep-Alive: %s" are kept idle for %d ms', async ([value, ms], test) => {
    const { opened, rawUpstream, gatewayFor, clientOf } = openings(new Opened())
    test.onTestFinished(() => opened.close())
    const upstream = await rawUpstream(
      answering(hello.replace('\r\n\r\n', `\r\nKeep-Alive: ${value}\r\n\r\n`)),
    )
    const { gateway } = await gatewayFor([upstream.port], limits({ poolIdleMs: 1500 }))
    await ask(clientOf(gateway.port))
    const idleSince = performance.now()
    await eventually(() => upstream.sockets.size === 0)
    const idle = performance.now() - idleSince
    expect(idle).toBeGreaterThan(ms - 50)
    // A late sweep of ours may lengthen it, but not by so much that the one would be taken for the other.
    if (ms < 1500) expect(idle).toBeLessThan(1500)
  })

  it('whose peer says "timeout=1" are not kept at all', async () => {
    const upstream = await rawUpstream(
      answering(hello.replace('\r\n\r\n', '\r\nKeep-Alive: timeout=1\r\n\r\n')),
    )
    const { gateway } = await gatewayFor([upstream.port])
    const client = clientOf(gateway.port)
    for (let n = 1; n <= 3; n++) {
      await ask(client)
      expect(upstream.accepted()).toBe(n)
    }
  })

  it('are not kept at all where the service says so, from the next answer on, and not opened ahead', async () => {
    const upstreams = [await rawUpstream(answering(hello)), await rawUpstream(answering(hello))]
    const [one, two] = upstreams
    if (one === undefined || two === undefined) throw new Error('two were made')
    const { gateway, resolver } = await gatewayFor([one.port])
    const client = clientOf(gateway.port)
    await ask(client)
    expect(one.sockets.size).toBe(1)
    const routes = [{ match: { path: '/' }, service: 'order' }]
    gateway.setRoutes({ routes, exposed: 'all', poolIdle: { order: 0 } })
    await eventually(() => one.sockets.size === 0)
    for (let n = 2; n <= 4; n++) {
      await ask(client)
      expect(one.accepted()).toBe(n)
    }
    resolver.give('order', instancesOf([one.port, two.port]))
    await new Promise(resolve => setTimeout(resolve, 200))
    expect(two.accepted()).toBe(0)
    gateway.setRoutes({ routes, exposed: 'all' })
    for (let n = 0; n < 6; n++) await ask(client)
    expect(one.accepted() + two.accepted()).toBeLessThanOrEqual(6)
  })

  it('are opened ahead to an instance that comes, as many as the others have busy', async () => {
    const busy = await rawUpstream(() => {})
    const fresh = await rawUpstream(answering(hello))
    const { gateway, resolver } = await gatewayFor([busy.port])
    for (let n = 0; n < 5; n++) clientOf(gateway.port).send(get)
    await eventually(() => busy.accepted() === 5)
    const causes = [{ kind: 'draining' as const, owner: 'x', reason: 'deploy', since: '' }]
    const leaving = await rawUpstream(answering(hello))
    resolver.give('order', [
      ...instancesOf([busy.port, fresh.port]),
      instanceOf('order', 'order-3', leaving.port, { causes }),
    ])
    await eventually(() => fresh.accepted() === 5)
    expect(gateway.stats.of('order').load?.pools).toMatchObject({ warmed: 5, open: 10 })
    expect(fresh.received()).toBe('')
    expect(leaving.accepted()).toBe(0)
    await ask(clientOf(gateway.port))
    expect(fresh.accepted()).toBe(5)
  })

  it('are not opened ahead beyond what one instance may have', async () => {
    const first = await rawUpstream(() => {})
    const second = await rawUpstream(answering(hello))
    const breaker = { ...breakerDefaults, connections: 3 }
    const { gateway, resolver } = await gatewayFor([first.port], { breaker })
    for (let n = 0; n < 3; n++) clientOf(gateway.port).send(get)
    await eventually(() => first.accepted() === 3)
    resolver.give('order', instancesOf([first.port, second.port]))
    await eventually(() => second.accepted() === 3)
  })

  it('opened ahead to an instance that refuses cost nothing', async () => {
    const busy = await rawUpstream(() => {})
    const dead = await rawUpstream(() => {})
    dead.kill()
    const { gateway, resolver } = await gatewayFor([busy.port])
    for (let n = 0; n < 2; n++) clientOf(gateway.port).send(get)
    await eventually(() => busy.accepted() === 2)
    resolver.give('order', instancesOf([busy.port, dead.port]))
    const { load } = gateway.stats.of('order')
    await eventually(() => load?.pools.warmed === 2 && load.pools.open === 2)
    expect(gateway.stats.of('order')).toMatchObject({ retries: 0, connectErrors: 0 })
  })
})
