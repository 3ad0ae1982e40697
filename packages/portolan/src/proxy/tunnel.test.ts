import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { fixture } from './testing/fixture.ts'
import { answering, eventually, hello, standstill } from './testing/harness.ts'
import { instanceOf } from './testing/static-resolver.ts'

const { gatewayFor, rawUpstream, clientOf } = fixture()

const ask = (protocol = 'websocket', more = '') =>
  `GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade, X-Hop\r\nUpgrade: ${protocol}\r\nX-Hop: 1\r\n${more}\r\n`
const switching = (protocol = 'websocket') =>
  `HTTP/1.1 101 Switching Protocols\r\nupgrade: ${protocol}\r\nconnection: upgrade\r\nX-Key: k\r\n\r\n`

/** An upstream that switches, and gives its side of each tunnel to `took`. */
async function switcher(took: (socket: Socket) => void = () => {}, answer = switching()) {
  return await rawUpstream((socket, text) => {
    if (!text.includes('Upgrade: ')) return
    socket.write(answer, 'latin1')
    took(socket)
  })
}

describe('a tunnel', () => {
  it('is asked for and granted with hop-by-hop fields of its own, then every byte passes as it is', async () => {
    const upstream = await rawUpstream((socket, text) => {
      if (text.includes('Upgrade: ')) socket.write(`${switching()}GET / first`, 'latin1')
      else socket.write(text.toUpperCase(), 'latin1')
    })
    const { gateway, registry } = await gatewayFor([upstream.port])
    const client = clientOf(gateway.port).send(ask())
    await client.until('first')
    expect(client.received).toBe(
      'HTTP/1.1 101 Switching Protocols\r\nX-Key: k\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nGET / first',
    )
    expect(upstream.received()).toMatch(/Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n$/)
    expect(upstream.received().match(/connection|upgrade:|X-Hop/gi)).toHaveLength(2)
    client.received = ''
    await client.send('get / http/1.1\r\n\r\n\x00\x80').until('\x80')
    expect(client.received).toBe('GET / HTTP/1.1\r\n\r\n\x00\x80')
    const shown = await registry.metrics()
    expect(shown).toContain('portolan_gateway_tunnels{service="order"} 1')
    expect(shown).toContain('portolan_gateway_tunnel_bytes_total{service="order",direction="in"} 20')
    expect(shown).toContain('portolan_gateway_tunnel_bytes_total{service="order",direction="out"} 31')
    expect(shown).toContain('portolan_gateway_requests_total{service="order",class="1xx"} 1')
  })

  it('is not asked for where a request could go round the routes, or asks in a way that two may read differently', async () => {
    const upstream = await rawUpstream(answering(hello))
    const { gateway } = await gatewayFor([upstream.port])
    const offers = [
      'h2c',
      'H2C',
      'h2',
      'HTTP/2.0',
      'TLS/1.2',
      'websocket, h2c',
      'h2c, websocket',
      '',
      'a b',
      '/',
    ]
    const ignored = [
      ...offers.map(offer => ask(offer)),
      ask().replace('Upgrade, X-Hop', 'X-Hop'),
      ask().replace(/Connection.*\r\n/, ''),
      ask('websocket', 'Upgrade: h2c\r\n'),
      ask().replace('HTTP/1.1', 'HTTP/1.0'),
    ]
    for (const text of ignored) {
      const client = clientOf(gateway.port).send(text)
      expect(await client.until('hello'), text).toMatch(/^HTTP\/1\.1 200 /)
    }
    expect(upstream.received()).not.toMatch(/upgrade|h2c|websocket/i)
  })

  it.each([
    ['nobody asked', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', switching()],
    ['to another protocol', ask(), switching('h2c')],
    ['to none', ask(), 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
    ['to two', ask(), switching('websocket\r\nUpgrade: x')],
    ['by HTTP/1.0', ask(), switching().replace('1.1', '1.0')],
    [
      'before the end of the request',
      ask('x', 'Content-Length: 5\r\n').replace('GET', 'POST'),
      switching('x'),
    ],
  ])('that an instance opens %s is a 502, and nothing passes', async (_, text, answer) => {
    const upstream = await rawUpstream(socket => socket.write(`${answer}secret`, 'latin1'))
    const { gateway } = await gatewayFor([upstream.port])
    const client = clientOf(gateway.port).send(text)
    expect(await client.until('}\n')).toMatch(/^HTTP\/1\.1 502 [\s\S]*bad_response/)
    expect(client.received).not.toContain('secret')
    await eventually(() => upstream.sockets.size === 0)
  })

  it('that is refused is an ordinary answer, and what was sent too early an ordinary request', async () => {
    const no = 'HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nno'
    const upstream = await rawUpstream(answering(no))
    const { gateway } = await gatewayFor([upstream.port])
    const client = clientOf(gateway.port).send(`${ask()}GET /2 HTTP/1.1\r\nHost: a\r\n\r\n`)
    await client.until(() => client.received.split('\r\n\r\nno').length === 3)
    expect(upstream.received()).toContain('GET /2 HTTP/1.1\r\n')
    // Node's server reads nothing more behind an Upgrade that it ignores.
    expect(upstream.accepted()).toBe(2)
  })

  it('comes after a body, where there is one, and gets what was sent before it was granted', async () => {
    const upstream = await rawUpstream((socket, text) => {
      if (text.includes('{}')) setTimeout(() => socket.write(switching('tcp'), 'latin1'), 30)
    })
    const { gateway } = await gatewayFor([upstream.port])
    const client = clientOf(gateway.port)
    client.send(ask('tcp', 'Content-Length: 2\r\n').replace('GET', 'POST')).send('{}').send('early')
    await client.until('Upgrade: tcp\r\n\r\n')
    client.send('+late')
    await eventually(() => upstream.received().endsWith('{}early+late'))
  })

  it('stays open in one direction when the other has ended', async () => {
    for (const first of ['client', 'instance'] as const) {
      const sides: Socket[] = []
      const upstream = await switcher(socket => {
        socket.allowHalfOpen = true
        sides.push(socket)
      })
      const { gateway, resolver } = await gatewayFor([upstream.port])
      const client = clientOf(gateway.port).send(ask())
      await client.until('\r\n\r\n')
      const [side] = sides
      if (side === undefined) throw new Error('no tunnel')
      let ended = false
      side.on('end', () => {
        ended = true
      })
      if (first === 'client') {
        client.socket.end('last words')
        await eventually(() => ended)
        expect(upstream.received().endsWith('last words')).toBe(true)
        side.end('answer to them')
        expect(await client.untilEnd()).toMatch(/answer to them$/)
      } else {
        side.end('bye')
        expect(await client.untilEnd()).toMatch(/bye$/)
        client.socket.end('bye too')
        await eventually(() => ended)
        expect(upstream.received().endsWith('bye too')).toBe(true)
      }
      await eventually(() => gateway.stats.of('order').tunnels === 0)
      expect(client.error).toBeUndefined()
      expect(resolver.inFlight('order', { id: 'order-1', incarnation: 1 })).toBe(0)
    }
  })

  it('passes on that a client had ended its side before it was granted', async () => {
    let ended = false
    const upstream = await rawUpstream(socket => {
      socket.allowHalfOpen = true
      socket.on('end', () => {
        ended = true
        socket.end('done')
      })
      setTimeout(() => socket.write(switching(), 'latin1'), 50)
    })
    const { gateway } = await gatewayFor([upstream.port])
    const client = clientOf(gateway.port)
    client.socket.end(ask())
    expect(await client.untilEnd()).toMatch(/done$/)
    expect(ended).toBe(true)
  })

  it('passes a reset on as one', async () => {
    for (const first of ['client', 'instance'] as const) {
      const sides: Socket[] = []
      const upstream = await switcher(socket => sides.push(socket))
      const { gateway } = await gatewayFor([upstream.port])
      const client = clientOf(gateway.port).send(ask())
      await client.until('\r\n\r\n')
      let error: NodeJS.ErrnoException | undefined
      sides[0]?.on('error', reason => {
        error = reason
      })
      if (first === 'client') {
        client.socket.resetAndDestroy()
        await eventually(() => error?.code === 'ECONNRESET')
      } else {
        sides[0]?.resetAndDestroy()
        await eventually(() => client.closed)
        expect(client.error).toMatchObject({ code: 'ECONNRESET' })
      }
      await eventually(() => gateway.stats.of('order').tunnels === 0 && upstream.sockets.size === 0)
    }
  })

  it('waits for who is slow, in bounded memory, and loses nothing', async () => {
    const piece = randomBytes(65_536)
    const total = 512 * piece.length
    const sides: Socket[] = []
    const upstream = await switcher(socket => sides.push(socket))
    const { gateway } = await gatewayFor([upstream.port])
    const client = clientOf(gateway.port).send(ask())
    await client.until('\r\n\r\n')
    const [side] = sides
    if (side === undefined) throw new Error('no tunnel')
    for (const [from, to] of [
      [client.socket, side],
      [side, client.socket],
    ] as const) {
      let written = 0
      const more = (): void => {
        while (written < total) {
          written += piece.length
          if (!from.write(piece)) return void from.once('drain', more)
        }
      }
      to.pause()
      more()
      await standstill(() => written)
      expect(written).toBeLessThan(total)
      to.removeAllListeners('data')
      let received = 0
      let same = true
      to.on('data', (chunk: Buffer) => {
        for (let i = 0; i < chunk.length; i += 997)
          if (chunk[i] !== piece[(received + i) % piece.length]) same = false
        received += chunk.length
      })
      to.resume()
      await eventually(() => received === total)
      expect(same).toBe(true)
    }
  })

  it('ends when no byte has passed for its time, and not before, whoever sends', async () => {
    const sides: Socket[] = []
    const upstream = await switcher(socket => sides.push(socket))
    const { gateway } = await gatewayFor([upstream.port], {
      tunnelIdleMs: 400,
      bodyIdleMs: 60,
      responseMs: 60,
    })
    const client = clientOf(gateway.port).send(ask())
    await client.until('\r\n\r\n')
    const began = performance.now()
    for (let i = 0; i < 5; i++) {
      await new Promise(resolve => setTimeout(resolve, 150))
      if (i % 2 === 0) client.send('.')
      else sides[0]?.write('.')
    }
    expect(client.closed || client.ended).toBe(false)
    await client.untilEnd()
    expect(performance.now() - began).toBeGreaterThan(1000)
    await eventually(() => upstream.sockets.size === 0)
  })

  it('of which one side has ended gets no more time than a body', async () => {
    const upstream = await switcher(socket => {
      socket.allowHalfOpen = true
    })
    const { gateway } = await gatewayFor([upstream.port], { bodyIdleMs: 60 })
    const client = clientOf(gateway.port).send(ask())
    await client.until('\r\n\r\n')
    client.socket.end()
    await eventually(() => client.closed && gateway.stats.of('order').tunnels === 0)
  })

  it('counts as a request under way, and speaks for its instance from the start', async () => {
    const upstream = await switcher()
    const { gateway, resolver } = await gatewayFor([upstream.port])
    const client = clientOf(gateway.port).send(ask())
    await client.until('\r\n\r\n')
    const causes = [{ kind: 'draining' as const, owner: 'drain', reason: 'deploy', since: '' }]
    expect(resolver.inFlight('order', { id: 'order-1', incarnation: 1 })).toBe(1)
    // A drain waits for it, and so does an instance that has left the set.
    resolver.give('order', [instanceOf('order', 'order-1', upstream.port, { causes })])
    resolver.give('order', [])
    client.send('still here')
    await eventually(() => upstream.received().endsWith('still here'))
    expect(resolver.idled).toEqual([])
    client.socket.destroy()
    await eventually(() => resolver.idled.length === 1)
    await eventually(() => upstream.sockets.size === 0)
    expect(gateway.stats.of('order').cancelled).toBe(0)
  })

  it('goes on while the gateway closes, for as long as that waits', async () => {
    const upstream = await switcher()
    const { gateway } = await gatewayFor([upstream.port], { drainMs: 300 })
    const client = clientOf(gateway.port).send(ask())
    await client.until('\r\n\r\n')
    const closed = gateway.close()
    client.send('1')
    await eventually(() => upstream.received().endsWith('1'))
    expect(client.closed || client.ended).toBe(false)
    await closed
    await eventually(() => client.closed || client.ended)
    await eventually(() => upstream.sockets.size === 0)
  })
})
