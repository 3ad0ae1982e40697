import { describe, expect, it } from 'vitest'
import { fixture } from './testing/fixture.ts'
import { answering, deadPort, eventually, hello, instancesOf } from './testing/harness.ts'
import { instanceOf } from './testing/static-resolver.ts'

const { gatewayFor, rawUpstream, clientOf } = fixture()

const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
const post = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi'

describe('when instances fail', () => {
  it('a refused connection is tried elsewhere, for POST too', async () => {
    const good = await rawUpstream(answering(hello))
    const dead = await deadPort()
    const { gateway } = await gatewayFor([dead, good.port])
    const client = clientOf(gateway.port)
    for (let i = 1; i <= 10; i++) {
      client.send(post)
      await client.until(() => client.received.split('hello').length === i + 1)
    }
    expect(client.received).toBe(hello.repeat(10))
    const { retries, connectErrors } = gateway.stats.of('order')
    expect(retries).toBeGreaterThan(0)
    expect(connectErrors).toBe(retries)
  })

  it('a GET written to a dying instance is answered by another, and a POST is a 502 and counted', async () => {
    const mean = await rawUpstream(socket => socket.resetAndDestroy())
    const good = await rawUpstream(answering(hello))
    // It stays, whatever it does: here it is about each single request.
    const { gateway } = await gatewayFor(
      [mean.port, good.port],
      {},
      {
        routes: [{ match: { path: '/' }, service: 'order' }],
        exposed: 'all',
        outliers: { order: { consecutiveBroken: 0, consecutive5xx: 0 } },
      },
    )
    const client = clientOf(gateway.port)
    for (let i = 1; i <= 10; i++) {
      client.send(get)
      await client.until(() => client.received.split('hello').length === i + 1)
    }
    expect(mean.accepted()).toBeGreaterThan(0)
    let lost = 0
    for (let i = 1; i <= 10; i++) {
      client.received = ''
      client.send(post)
      await client.until(() => /hello|}\n/.test(client.received))
      if (client.received.startsWith('HTTP/1.1 502')) lost++
    }
    expect(lost).toBeGreaterThan(0)
    expect(gateway.stats.of('order').unretried).toBe(lost)
    expect(gateway.stats.problems.get('upstream_lost')).toBe(lost)
  })

  it('a kept connection that was closed meanwhile costs no GET', async () => {
    const upstream = await rawUpstream((socket, text) => {
      // Answers once, and closes when the second request comes: the stale keep-alive race.
      if (socket.bytesWritten > 0) socket.destroy()
      else answering(hello)(socket, text)
    })
    const { gateway } = await gatewayFor([upstream.port])
    const client = clientOf(gateway.port)
    for (let i = 1; i <= 5; i++) {
      client.send(get)
      await client.until(() => client.received.split('hello').length === i + 1)
    }
    expect(client.received).toBe(hello.repeat(5))
    client.send(post)
    await client.until('upstream_lost')
  })

  it('with nobody left it is a 502, once', async () => {
    const { gateway } = await gatewayFor([await deadPort()])
    const client = clientOf(gateway.port).send(get)
    await client.until('}\n')
    expect(client.received).toMatch(/^HTTP\/1\.1 502 [\s\S]*Portolan-Error: connect_failed\r\n/)
    // The connection is still good: the request was whole.
    client.received = ''
    await client.send(get).until('connect_failed')
  })

  it('an empty set is a 503, and the next set is used at once', async () => {
    const good = await rawUpstream(answering(hello))
    const { gateway, resolver } = await gatewayFor([])
    resolver.give('order', [])
    const client = clientOf(gateway.port).send(get)
    await client.until('no_instance_available')
    resolver.give('order', instancesOf([good.port]))
    await client.send(get).until('hello')
  })

  it('a service that nobody knows yet is waited for', async () => {
    const good = await rawUpstream(answering(hello))
    const { gateway, resolver } = await gatewayFor([], { resolveMs: 5000 })
    const client = clientOf(gateway.port).send(get)
    await eventually(() => gateway.stats.connections === 1)
    resolver.give('order', instancesOf([good.port]))
    await client.until('hello')
    const never = clientOf(gateway.port).send('GET / HTTP/1.1\r\nHost: nobody.portolan\r\n\r\n')
    await never.until('hello')
  })

  it('a response cut short cuts the client too, whatever the framing', async () => {
    for (const start of [
      'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhal',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhal\r\n',
    ]) {
      const upstream = await rawUpstream(socket => socket.write(start))
      const { gateway } = await gatewayFor([upstream.port])
      const client = clientOf(gateway.port).send(get)
      await client.until('hal')
      for (const socket of upstream.sockets) socket.end()
      await eventually(() => client.closed)
      expect(client.error).toMatchObject({ code: 'ECONNRESET' })
    }
  })

  it('a reset in a body that ends with the connection is no end', async () => {
    const upstream = await rawUpstream(socket => socket.write('HTTP/1.1 200 OK\r\n\r\nhal'))
    const { gateway } = await gatewayFor([upstream.port])
    const client = clientOf(gateway.port).send(get)
    await client.until('hal')
    for (const socket of upstream.sockets) socket.resetAndDestroy()
    await eventually(() => client.closed)
    expect(client.error).toMatchObject({ code: 'ECONNRESET' })
  })

  it.each([
    ['answers twice', `${hello}${hello}`],
    ['sends more than it said', `${hello}HTTP/1.1 200 OK\r\n\r\nevil`],
  ])('an upstream that %s never gets a second request on that connection', async (_, response) => {
    const upstream = await rawUpstream((socket, text) => {
      if (text.includes('\r\n\r\n')) socket.write(response)
    })
    const { gateway } = await gatewayFor([upstream.port])
    const client = clientOf(gateway.port)
    for (let i = 1; i <= 3; i++) {
      client.send(get)
      await client.until(() => client.received.split('hello').length === i + 1)
    }
    expect(client.received).toBe(hello.repeat(3))
    expect(upstream.accepted()).toBe(3)
  })

  it.each([
    ['nonsense', 'bad_status_line', 'SSH-2.0-OpenSSH_9\r\n'],
    [
      'a bad head',
      'bad_content_length',
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello',
    ],
    ['a bare LF', 'bad_status_line', 'HTTP/1.1 200 OK\nContent-Length: 5\n\nhello'],
    ['an unasked 101', 'unasked_switch', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'],
    ['a bad chunk at once', 'bad_chunk_size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
    ['too large a head', 'head_too_large', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(20_000)}`],
    ['too many fields', 'too_many_fields', `HTTP/1.1 200 OK\r\n${'Set-Cookie: a=b\r\n'.repeat(140)}\r\n`],
    ['hints without end', 'too_many_interims', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(100)],
  ])('an upstream that answers with %s is a 502 that says why: %s', async (_, why, response) => {
    const upstream = await rawUpstream(socket => socket.write(response))
    const { gateway, registry } = await gatewayFor([upstream.port])
    const client = clientOf(gateway.port).send(get)
    await client.until('}\n')
    expect(client.received).toMatch(/HTTP\/1\.1 502 [\s\S]*Portolan-Error: bad_response/)
    expect(client.received).toContain(`: ${why} (`)
    const shown = await registry.metrics()
    expect(shown).toContain(`portolan_gateway_bad_responses_total{service="order",reason="${why}"} 1\n`)
    const { head, fields } = { head: why === 'head_too_large', fields: why === 'too_many_fields' }
    expect(shown).toContain(`portolan_gateway_limit_struck_total{limit="head"} ${Number(head)}\n`)
    expect(shown).toContain(`portolan_gateway_limit_struck_total{limit="fields"} ${Number(fields)}\n`)
  })

  it('a client that leaves takes its upstream connection with it', async () => {
    const upstream = await rawUpstream(() => {})
    const { gateway } = await gatewayFor([upstream.port], { halfClosedMs: 50 })
    for (const leave of ['destroy', 'resetAndDestroy'] as const) {
      const client = clientOf(gateway.port).send(get)
      await eventually(() => upstream.sockets.size === 1)
      client.socket[leave]()
      await eventually(() => upstream.sockets.size === 0)
    }
    expect(gateway.stats.of('order').cancelled).toBe(2)
    expect(gateway.stats.connections).toBe(0)
  })

  it('a client that has ended its side still gets its answer', async () => {
    const upstream = await rawUpstream((socket, text) => {
      setTimeout(() => answering(hello)(socket, text), 30)
    })
    const { gateway } = await gatewayFor([upstream.port])
    const client = clientOf(gateway.port)
    client.socket.end(get)
    expect(await client.untilEnd()).toBe(hello)
  })

  it('connections to an instance that leaves are closed, and a new incarnation gets new ones', async () => {
    const upstream = await rawUpstream(answering(hello))
    const { gateway, resolver } = await gatewayFor([upstream.port])
    const client = clientOf(gateway.port).send(get)
    await client.until('hello')
    expect(upstream.sockets.size).toBe(1)
    resolver.give('order', [instanceOf('order', 'order-1', upstream.port, { incarnation: 2 })])
    await eventually(() => upstream.sockets.size === 0)
    client.received = ''
    await client.send(get).until('hello')
    expect(upstream.accepted()).toBe(2)
    const causes = [{ kind: 'draining' as const, owner: 'x', reason: 'deploy', since: '' }]
    resolver.give('order', [instanceOf('order', 'order-1', upstream.port, { incarnation: 2, causes })])
    await eventually(() => upstream.sockets.size === 0)
  })

  it('a dual-stack instance is reached by the address that answers', async () => {
    const upstream = await rawUpstream(answering(hello), '::1')
    const { gateway, resolver } = await gatewayFor([])
    const addresses = ['127.0.0.1', '::1']
    resolver.give('order', [instanceOf('order', 'order-1', upstream.port, { addresses })])
    await clientOf(gateway.port).send(get).until('hello')
    expect(gateway.stats.of('order').connectErrors).toBe(0)
  })
})
