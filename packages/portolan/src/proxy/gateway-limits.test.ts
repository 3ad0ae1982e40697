import { type GatewayLimits, limitDefaults, seededRandom } from '@portolan/core'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { openGateway } from './gateway.ts'
import { fixture } from './testing/fixture.ts'
import { answering, eventually, hello, instancesOf, type RawClient, standstill } from './testing/harness.ts'
import { StaticResolver } from './testing/static-resolver.ts'

const { opened, gatewayFor, rawUpstream, clientOf } = fixture()

const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
const table = { routes: [{ match: { path: '/' }, service: 'order' }], exposed: 'all' as const }

const limits = (own: Partial<GatewayLimits>): { readonly limits: GatewayLimits } => ({
  limits: { ...limitDefaults, ...own },
})

describe('at the door', () => {
  it('clients beyond the limit are told why, and come in when there is room again', async () => {
    const upstream = await rawUpstream(answering(hello))
    const { gateway } = await gatewayFor([upstream.port], limits({ connections: 2 }))
    const [first] = [1, 2].map(() => clientOf(gateway.port))
    await eventually(() => gateway.stats.connections === 2)
    const third = clientOf(gateway.port).send(get)
    expect(await third.untilEnd()).toMatch(
      /^HTTP\/1\.1 503 [\s\S]*Portolan-Error: too_many_clients\r\nRetry-After: 1\r\nConnection: close\r\n/,
    )
    expect(third.error).toBeUndefined()
    expect(gateway.stats).toMatchObject({ connections: 2, connectionsRefused: 1, struck: { connections: 1 } })
    first?.socket.destroy()
    await eventually(() => gateway.stats.connections === 1)
    await clientOf(gateway.port).send(get).until('hello')
    gateway.setRoutes({ ...table, limits: { connections: 50 } })
    const more = Array.from({ length: 40 }, () => clientOf(gateway.port).send(get))
    for (const client of more) await client.until('hello')
  })

  it('who does not read why it is turned away is gone all the same', async () => {
    const { gateway } = await gatewayFor([1], limits({ connections: 1 }))
    clientOf(gateway.port)
    await eventually(() => gateway.stats.connections === 1)
    const crowd = Array.from({ length: 100 }, () => {
      const client = clientOf(gateway.port)
      client.socket.pause()
      return client.send('GET / HT')
    })
    await eventually(() => gateway.stats.connectionsRefused === 100)
    for (const client of crowd) client.socket.resume()
    await eventually(() => crowd.every(({ ended, closed }) => ended || closed))
    const told = crowd.filter(({ received }) => received.includes('too_many_clients')).length
    expect(told).toBeGreaterThan(0)
    expect(told).toBeLessThanOrEqual(64)
  })

  it('one client has so many connections, and no more', async () => {
    const upstream = await rawUpstream(answering(hello))
    const { gateway } = await gatewayFor([upstream.port], limits({ connectionsPerClient: 2 }))
    const clients = [1, 2].map(() => clientOf(gateway.port).send(get))
    for (const client of clients) await client.until('hello')
    const third = clientOf(gateway.port).send(get)
    expect(await third.untilEnd()).toMatch(/^HTTP\/1\.1 429 [\s\S]*Portolan-Error: too_many_from_client\r\n/)
    expect(gateway.stats.struck.connectionsPerClient).toBe(1)
    clients[0]?.socket.destroy()
    await eventually(() => gateway.stats.connections === 1)
    await clientOf(gateway.port).send(get).until('hello')
  })

  it('trusted proxies may have as many as they need', async () => {
    const upstream = await rawUpstream(answering(hello))
    const settings = { ...limits({ connectionsPerClient: 1 }), trustedProxies: ['127.0.0.0/8'] }
    const { gateway } = await gatewayFor([upstream.port], settings)
    for (let n = 0; n < 4; n++) await clientOf(gateway.port).send(get).until('hello')
  })
})

describe('clients that say nothing', () => {
  it('at all have as long as a head has, and are closed without a word', async () => {
    const { gateway } = await gatewayFor([1], { headMs: 200, keepAliveMs: 60_000 })
    const began = performance.now()
    const client = clientOf(gateway.port)
    expect(await client.untilEnd()).toBe('')
    expect(performance.now() - began).toBeGreaterThanOrEqual(200)
    expect(client.error).toBeUndefined()
    expect(gateway.stats).toMatchObject({ struck: { firstByte: 1, keepAlive: 0 } })
    expect(gateway.stats.problems.get('head_timeout')).toBe(0)
  })

  it('after an answer have longer, and are closed without a word', async () => {
    const upstream = await rawUpstream(answering(hello))
    const { gateway } = await gatewayFor([upstream.port], { headMs: 60_000, keepAliveMs: 200 })
    const client = clientOf(gateway.port).send(get)
    await client.until('hello')
    const began = performance.now()
    expect(await client.untilEnd()).toBe(hello)
    expect(performance.now() - began).toBeGreaterThan(150)
    expect(gateway.stats).toMatchObject({ struck: { firstByte: 0, keepAlive: 1 } })
  })
})

describe('slow clients', () => {
  const paced = { ...limits({ minRate: 1000 }), paceMs: 100 }

  it('that drip a head have all of it in its time, or none', async () => {
    const upstream = await rawUpstream(() => {})
    const { gateway } = await gatewayFor([upstream.port], { headMs: 200 })
    const client = clientOf(gateway.port).send('GET / HTTP/1.1\r\nHost: a\r\nX-Drip: ')
    const began = performance.now()
    const dripping = setInterval(() => client.send('x'), 10)
    opened.add(() => clearInterval(dripping))
    expect(await client.untilEnd()).toMatch(/^HTTP\/1\.1 408 [\s\S]*Portolan-Error: head_timeout\r\n/)
    clearInterval(dripping)
    expect(performance.now() - began).toBeGreaterThan(150)
    expect(upstream.accepted()).toBe(0)
  })

  it('that drip a body are told so, however regularly they drip', async () => {
    const upstream = await rawUpstream(() => {})
    const { gateway } = await gatewayFor([upstream.port], paced)
    const client = clientOf(gateway.port)
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n')
    const dripping = setInterval(() => client.send('x'), 10)
    opened.add(() => clearInterval(dripping))
    expect(await client.untilEnd()).toMatch(/^HTTP\/1\.1 408 [\s\S]*Portolan-Error: too_slow\r\n/)
    clearInterval(dripping)
    expect(gateway.stats.struck.minRate).toBe(1)
    await eventually(() => upstream.sockets.size === 0)
  })

  it('that sip an answer are cut', async () => {
    const body = 'x'.repeat(20_000_000)
    const upstream = await rawUpstream(
      answering(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`),
    )
    const { gateway } = await gatewayFor([upstream.port], paced)
    const client = clientOf(gateway.port)
    client.socket.pause()
    client.send(get)
    const sipping = setInterval(() => client.socket.read(1), 10)
    opened.add(() => clearInterval(sipping))
    await eventually(() => gateway.stats.struck.minRate === 1)
    await eventually(() => gateway.stats.connections === 0 && upstream.sockets.size === 0)
  })

  it('that move enough, or wait for others, are left alone', async () => {
    const slow = await rawUpstream((socket, text) => {
      if (!text.startsWith('GET /slow')) return answering(hello)(socket, text)
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello')
      setTimeout(() => socket.write('world'), 500)
    })
    const { gateway } = await gatewayFor([slow.port], paced)
    // An instance that answers slowly, an idle connection, and a body that comes at twice the rate.
    const waiting = clientOf(gateway.port).send(get.replace('/ ', '/slow '))
    const idle = clientOf(gateway.port).send(get)
    const steady = clientOf(gateway.port)
    steady.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n')
    let sent = 0
    const sending = setInterval(() => {
      if (sent >= 1000) return
      sent += 50
      steady.send('x'.repeat(50))
    }, 25)
    opened.add(() => clearInterval(sending))
    await eventually(() => sent >= 1000)
    await waiting.until('helloworld')
    expect(idle.ended).toBe(false)
    expect(gateway.stats.struck.minRate).toBe(0)
  })

  it('that take a large answer slowly, but do take it, get all of it', async () => {
    const size = 12_000_000
    const body = 'x'.repeat(size)
    const upstream = await rawUpstream(answering(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n${body}`))
    const { gateway } = await gatewayFor([upstream.port], {
      ...limits({ minRate: 100_000 }),
      paceMs: 200,
    })
    const client = clientOf(gateway.port)
    client.socket.removeAllListeners('data')
    let received = 0
    client.socket.on('data', chunk => {
      received += chunk.length
      client.socket.pause()
      setTimeout(() => client.socket.resume(), 5)
    })
    client.send(get)
    await eventually(
      () => received > size || client.closed,
      () => `${received}`,
    )
    expect(gateway.stats.struck.minRate).toBe(0)
  })
})

describe('memory', () => {
  const large = 'x'.repeat(4_000_000)

  it('is bounded whoever does not read, and is free again when they have gone', async () => {
    // Answers without an end: kernels take as much of one off our hands as they like, but not all of it.
    const piece = 'x'.repeat(65_536)
    let pieces = 0
    const upstream = await rawUpstream(socket => {
      const more = (failed?: Error | null): void => {
        if (failed) return
        pieces++
        socket.write(piece, more)
      }
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n')
      more()
    })
    const { gateway, registry } = await gatewayFor([upstream.port], limits({ memory: 1_000_000 }))
    const used = async (): Promise<number> =>
      Number(/portolan_gateway_buffered_bytes (\d+)/.exec(await registry.metrics())?.[1])
    const readers = Array.from({ length: 60 }, () => {
      const client = clientOf(gateway.port)
      client.socket.pause()
      return client
    })
    for (const [index, reader] of readers.entries()) {
      reader.send(get)
      if (index % 10 === 9) await standstill(() => pieces)
    }
    const most = await used()
    expect(most).toBeGreaterThan(1_000_000)
    // What it has begun to hold for those that it had let in by then: one read of an answer each.
    expect(most).toBeLessThan(1_250_000 + 10 * 131_072)
    const poster = clientOf(gateway.port)
    poster.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello')
    await poster.until('Portolan-Error: overloaded\r\nRetry-After: 1\r\n')
    expect(gateway.stats.struck.memory).toBeGreaterThan(0)
    for (const reader of readers) reader.socket.destroy()
    await eventually(() => gateway.stats.connections <= 1)
    await expect.poll(used, { timeout: 5000 }).toBe(0)
  })

  it('that is short slows answers down, and loses none of them', async () => {
    const upstream = await rawUpstream(
      answering(`HTTP/1.1 200 OK\r\nContent-Length: ${large.length}\r\n\r\n${large}`),
    )
    const { gateway } = await gatewayFor([upstream.port], limits({ memory: 20_000 }))
    const client = clientOf(gateway.port)
    client.socket.removeAllListeners('data')
    let received = 0
    client.socket.on('data', chunk => {
      received += chunk.length
    })
    for (let n = 1; n <= 2; n++) {
      client.send(get)
      await eventually(
        () => received > n * large.length,
        () => `${n}: ${received}`,
      )
    }
    expect(gateway.stats.struck.memory).toBe(0)
  })

  it('that is short keeps no body for a second try, and lets the ones that are under way come to their end', async () => {
    const upstream = await rawUpstream((socket, text) => {
      if (text.endsWith('end')) socket.write(hello)
    })
    const { gateway } = await gatewayFor([upstream.port], limits({ memory: 300_000 }))
    const body = `${'x'.repeat(500_000)}end`
    const posters = [1, 2, 3].map(() => clientOf(gateway.port))
    for (const poster of posters)
      poster.send(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`)
    await eventually(() => upstream.accepted() === 3)
    for (const poster of posters) poster.send(body)
    for (const poster of posters) await poster.until('hello')
  })
})

describe('descriptors', () => {
  it('that run out turn clients away, and leave those that are there what they need', async () => {
    const upstream = await rawUpstream(answering(hello))
    const resolver = new StaticResolver()
    resolver.give('order', instancesOf([upstream.port]))
    const registry = new Registry()
    const gateway = await openGateway({
      resolver,
      routes: table,
      settings: { listen: [{ host: '127.0.0.1', port: 0 }], drainMs: 100 },
      clock: { now: () => performance.now() },
      random: seededRandom(7),
      log: pino({ level: 'silent' }),
      metrics: registry,
      // Counted once only: from there on it is the gateway's own connections.
      countDescriptors: () => ({ limit: 100, used: 60 }),
    })
    opened.add(() => gateway.close())
    const clients: RawClient[] = []
    for (let n = 0; n < 40; n++) {
      const client = clientOf(gateway.port).send(get)
      clients.push(client)
      await client.until(() => client.ended || client.closed || client.received.includes('\r\n\r\n'))
    }
    const served = clients.filter(({ received }) => received === hello).length
    expect(served).toBeGreaterThan(15)
    expect(served).toBeLessThan(30)
    expect(gateway.stats.struck.descriptors).toBe(40 - served)
    expect(clients.filter(({ received }) => received.includes('too_many_clients')).length).toBeGreaterThan(0)
    const shown = await registry.metrics()
    expect(shown).toContain('portolan_gateway_limit{limit="descriptors"} 100\n')
    expect(shown).toMatch(/^portolan_gateway_descriptors [89]\d$/m)
    clients[0]?.send(get)
    await eventually(() => clients[0]?.received === `${hello}${hello}`)
  })
})
