import { describe, expect, it } from 'vitest'
import { fixture } from './testing/fixture.ts'
import { answering, eventually, hello, type RawClient, type TestGateway } from './testing/harness.ts'
import { instanceOf } from './testing/static-resolver.ts'

const { gatewayFor, httpUpstream, rawUpstream, clientOf } = fixture()

const get = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n'
const broken = 'HTTP/1.1 500 Internal Server Error\r\nContent-Length: 5\r\n\r\nhello'

async function send(client: RawClient, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const before = client.received.split('hello').length
    client.send(get)
    await client.until(() => client.received.split('hello').length > before)
  }
}

async function metric({ registry }: TestGateway, line: string): Promise<number> {
  const text = await registry.metrics()
  const found = text.split('\n').find(each => each.startsWith(line))
  return found === undefined ? 0 : Number(found.slice(found.lastIndexOf(' ')))
}

describe('an instance that fails', () => {
  it('gets five requests, and then one on trial for each time out, while nobody else hears of it', async () => {
    let requests = 0
    const bad = await rawUpstream((socket, text) => {
      requests++
      answering(broken)(socket, text)
    })
    const good = await rawUpstream(answering(hello))
    const world = await gatewayFor([bad.port, good.port])
    const client = clientOf(world.gateway.port)
    const begun = performance.now()
    while (performance.now() - begun < 900) await send(client, 20)
    expect(requests).toBe(5)
    expect(await metric(world, 'portolan_gateway_outliers{service="order"}')).toBe(1)
    const ejections = 'portolan_gateway_ejections_total{service="order",reason="consecutive-5xx"}'
    expect(await metric(world, ejections)).toBe(1)
    while (performance.now() - begun < 2500) await send(client, 20)
    expect(requests).toBe(6)
    expect(await metric(world, ejections)).toBe(2)
  })

  it('is back with the first success on trial', async () => {
    let well = false
    const order1 = await httpUpstream((_, response) => response.writeHead(well ? 200 : 503).end('hello'))
    const order2 = await httpUpstream((_, response) => response.end('hello'))
    const world = await gatewayFor([order1, order2])
    const { balance } = world.gateway.stats.of('order')
    const client = clientOf(world.gateway.port)
    await send(client, 40)
    expect(balance?.outliers).toBe(1)
    well = true
    await eventually(() => {
      client.send(get)
      return balance?.outliers === 0
    })
  })

  it('stays when too few would be left, and is said to', async () => {
    const bad = await rawUpstream(answering(broken))
    const world = await gatewayFor([bad.port])
    await send(clientOf(world.gateway.port), 10)
    expect(await metric(world, 'portolan_gateway_outliers')).toBe(0)
    expect(await metric(world, 'portolan_gateway_ejections_withheld_total')).toBe(6)
  })

  it('is out at the first refused connection; then nothing is tried again', async () => {
    const dead = await rawUpstream(() => {})
    dead.kill()
    const good = await rawUpstream(answering(hello))
    const world = await gatewayFor([dead.port, good.port])
    await send(clientOf(world.gateway.port), 100)
    const { retries, connectErrors } = world.gateway.stats.of('order')
    expect([retries, connectErrors]).toEqual([1, 1])
  })

  it('is not one whose kept connections close: those are opened again, and told of', async () => {
    const upstream = await rawUpstream((socket, text) => {
      if (socket.bytesWritten > 0) socket.destroy()
      else answering(hello)(socket, text)
    })
    const other = await rawUpstream(answering(hello))
    const world = await gatewayFor([upstream.port, other.port])
    await send(clientOf(world.gateway.port), 60)
    expect(world.gateway.stats.of('order').balance?.ejections).toMatchObject({ broken: 0, refused: 0 })
    expect(world.resolver.reports.flatMap(({ outcomes }) => outcomes)).toContainEqual(
      expect.objectContaining({ id: 'order-1', reason: 'connection ended' }),
    )
  })
})

describe('reports', () => {
  it('tell at once of a failure, and about once a second of everything, but nothing when idle', async () => {
    const bad = await rawUpstream(answering(broken))
    const good = await rawUpstream(answering(hello))
    const world = await gatewayFor([bad.port, good.port])
    const { reports } = world.resolver
    await eventually(() => performance.now() > 0)
    expect(reports).toEqual([])
    const client = clientOf(world.gateway.port)
    while (reports.length === 0) await send(client, 1)
    expect(reports[0]?.outcomes).toEqual([
      expect.objectContaining({ id: 'order-1', incarnation: 1, failed: 1, reason: 'answered 500' }),
    ])
    await send(client, 200)
    const total = () => {
      const all = reports.flatMap(({ outcomes }) => outcomes)
      return all.reduce((sum, { ok, failed }) => sum + ok + failed, 0)
    }
    const sent = client.received.split('hello').length - 1
    await eventually(() => total() === sent)
    const last = reports.at(-1)
    expect(last?.cpuMs).toBeGreaterThan(0)
    expect(last?.overMs).toBeGreaterThan(500)
    const told = reports.length
    await new Promise(resolve => setTimeout(resolve, 1500))
    expect(reports).toHaveLength(told)
  })

  it('share the CPU time by requests', async () => {
    const good = await rawUpstream(answering(hello))
    const routes = [
      { match: { host: 'cart' }, service: 'cart' },
      { match: { path: '/' }, service: 'order' },
    ]
    const world = await gatewayFor([good.port], {}, { routes, exposed: 'all' })
    world.resolver.give('cart', [instanceOf('cart', 'cart-1', good.port)])
    const client = clientOf(world.gateway.port)
    client.send(get.repeat(30) + get.replace('Host: h', 'Host: cart').repeat(10))
    const { reports } = world.resolver
    await eventually(() => reports.length === 2)
    const of = (id: string) => reports.find(({ outcomes }) => outcomes[0]?.id === id)
    const [order, cart] = [of('order-1'), of('cart-1')]
    expect(order?.outcomes).toEqual([{ id: 'order-1', incarnation: 1, ok: 30, failed: 0 }])
    expect(cart?.outcomes).toEqual([{ id: 'cart-1', incarnation: 1, ok: 10, failed: 0 }])
    expect(order?.cpuMs).toBeCloseTo((cart?.cpuMs ?? 0) * 3, 6)
  })
})
