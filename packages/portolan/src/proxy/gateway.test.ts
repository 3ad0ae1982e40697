import { describe, expect, it } from 'vitest'
import { fixture } from './testing/fixture.ts'
import { answering, dated, eventually, hello } from './testing/harness.ts'

const { gatewayFor, httpUpstream, rawUpstream, clientOf } = fixture()

const get = (path = '/', fields = '') => `GET ${path} HTTP/1.1\r\nHost: order.portolan\r\n${fields}\r\n`

describe('the gateway', () => {
  it('passes a request and its answer on, byte for byte', async () => {
    const answer = `HTTP/1.1 200 OK\r\n${dated}X: caf\xe9\r\nContent-Length: 3\r\n\r\n\x00\xff\x80`
    const upstream = await rawUpstream(answering(answer))
    const { gateway } = await gatewayFor([upstream.port])
    const client = clientOf(gateway.port).send(get('/a?b=%20', 'Z: \xfe\r\n'))
    await client.until('\x80')
    expect(client.received).toBe(answer)
    expect(upstream.received().replace(/(?<=Portolan-Hop: )[0-9a-f]{12}(?=.order\r\n)/, 'x')).toBe(
      'GET /a?b=%20 HTTP/1.1\r\nHost: order.portolan\r\nZ: \xfe\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: order.portolan\r\nVia: 1.1 portolan\r\nPortolan-Hop: x/order\r\n\r\n',
    )
  })

  it('keeps both connections for the next request', async () => {
    const upstream = await rawUpstream(answering(hello))
    const { gateway } = await gatewayFor([upstream.port])
    const client = clientOf(gateway.port)
    for (let i = 1; i <= 20; i++) {
      client.send(get())
      await client.until(() => client.received.length === i * hello.length)
    }
    expect(client.received).toBe(hello.repeat(20))
    expect(upstream.accepted()).toBe(1)
  })

  it('answers pipelined requests in their order, however they are cut', async () => {
    const port = await httpUpstream((request, response) => {
      // The first is the slowest: order must not depend on speed.
      setTimeout(() => response.end(`<${request.url}>`), request.url === '/0' ? 50 : 0)
    })
    const { gateway } = await gatewayFor([port])
    const client = clientOf(gateway.port)
    const text = Array.from({ length: 30 }, (_, i) => get(`/${i}`)).join('')
    for (let at = 0; at < text.length; at += 37) {
      client.send(text.slice(at, at + 37))
      if (at % 5 === 0) await new Promise(setImmediate)
    }
    await client.until('</29>')
    expect(client.received.match(/<\/\d+>/g)).toEqual(Array.from({ length: 30 }, (_, i) => `</${i}>`))
  })

  it('spreads 10,000 requests evenly', async () => {
    const counts = [0, 0, 0]
    const ports = await Promise.all(
      counts.map((_, index) =>
        httpUpstream((_request, response) => {
          counts[index] = (counts[index] ?? 0) + 1
          response.end('x')
        }),
      ),
    )
    const { gateway, registry } = await gatewayFor(ports)
    const clients = Array.from({ length: 20 }, () => clientOf(gateway.port))
    await Promise.all(
      clients.map(async client => {
        for (let i = 0; i < 500; i++) {
          client.received = ''
          await client.send(get()).until('\r\n\r\nx')
        }
      }),
    )
    expect(counts.reduce((a, b) => a + b)).toBe(10_000)
    for (const count of counts) expect(Math.abs(count - 10_000 / 3)).toBeLessThan(333)
    const shown = await registry.metrics()
    expect(shown).toContain('portolan_gateway_requests_total{service="order",class="2xx"} 10000')
    expect(shown).toContain('portolan_gateway_request_seconds_count{service="order"} 10000')
    expect(shown).toContain('portolan_gateway_connections 20')
  }, 60_000)

  it('ends what is under way before it closes, and takes nothing new', async () => {
    const port = await httpUpstream((_request, response) => void setTimeout(() => response.end('late'), 100))
    const { gateway } = await gatewayFor([port], { drainMs: 5000 })
    const idle = clientOf(gateway.port)
    const busy = clientOf(gateway.port).send(get())
    await eventually(() => gateway.stats.connections === 2)
    const closed = gateway.close()
    await idle.untilEnd()
    expect(idle.received).toBe('')
    expect(await busy.untilEnd()).toMatch(/Connection: close[\s\S]*late$/)
    busy.socket.end()
    idle.socket.end()
    await closed
    const refused = clientOf(gateway.port)
    await refused.until(() => refused.error !== undefined)
  })
})
