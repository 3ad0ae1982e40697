import { breakerDefaults, limitDefaults } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import { openGateway } from './gateway.ts'
import { fixture } from './testing/fixture.ts'
import { answering, eventually, hello, standstill } from './testing/harness.ts'
import { instanceOf } from './testing/static-resolver.ts'

const { gatewayFor, rawUpstream, clientOf } = fixture()

const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

describe('what the gateway does not put up with', () => {
  it.each([
    [
      '400',
      'ambiguous_length',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    ],
    ['400', 'bad_field_name', 'GET / HTTP/1.1\r\nHost : a\r\n\r\n'],
    ['400', 'bad_host', 'GET / HTTP/1.1\r\n\r\n'],
    ['414', 'target_too_long', `GET /${'x'.repeat(9000)} HTTP/1.1\r\nHost: a\r\n\r\n`],
    ['431', 'head_too_large', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(17_000)}\r\n\r\n`],
    ['501', 'connect_unsupported', 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nConnection: close\r\n\r\n'],
    ['505', 'version_unsupported', 'PRI * HTTP/2.0\r\n\r\n'],
  ])('is answered with %s %s, and the connection closed', async (status, code, text) => {
    const upstream = await rawUpstream(answering(hello))
    const { gateway } = await gatewayFor([upstream.port])
    const client = clientOf(gateway.port).send(`${text}${get}`)
    const received = await client.untilEnd()
    expect(received).toMatch(new RegExp(`^HTTP/1.1 ${status} [\\s\\S]*Portolan-Error: ${code}\\r\\n`))
    expect(received.match(/HTTP\/1\.1 \d/g)).toHaveLength(1)
    expect(upstream.received()).toBe('')
    expect(gateway.stats.problems.get(code)).toBe(1)
  })

  it('an offer of h2c is ignored, as the RFC lets it be', async () => {
    const upstream = await rawUpstream(answering(hello))
    const { gateway } = await gatewayFor([upstream.port])
    const offer = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n'
    await clientOf(gateway.port)
      .send(get.replace('\r\n\r\n', `\r\n${offer}\r\n`))
      .until('hello')
    expect(upstream.received()).not.toMatch(/upgrade|h2c|settings/i)
  })
})

describe('routing', () => {
  const table = {
    routes: [
      { match: { host: 'Shop.example', path: '/api/' }, service: 'order' },
      { match: { path: '/pay' }, service: 'order' },
    ],
    exposed: ['order', 'staging/order'],
  }

  it.each([
    ['order.portolan', '/', 200],
    ['ORDER.portolan', '/', 200],
    ['order.PORTOLAN.:7480', '/', 200],
    ['order.default.portolan', '/', 200],
    ['hidden.portolan', '/', 404],
    ['portolan', '/', 404],
    ['.portolan', '/', 404],
    ['shop.example:80', '/api/x', 200],
    ['shop.example', '/apis', 404],
    ['any.where', '/pay?x', 200],
    ['any.where', '/pay/x', 200],
    ['any.where', '/payment', 404],
    ['[::1]:80', '/pay', 200],
  ])('of %s%s gives %d', async (host, path, status) => {
    const upstream = await rawUpstream(answering(hello))
    const { gateway } = await gatewayFor([upstream.port], {}, table)
    const client = clientOf(gateway.port).send(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
    await client.until(`HTTP/1.1 ${status} `)
  })

  it('follows a new table from the next request on, and reaches namespaces', async () => {
    const upstream = await rawUpstream(answering(hello))
    const { gateway, resolver } = await gatewayFor([], {}, table)
    resolver.give('order', [instanceOf('order', 'o-1', upstream.port, { namespace: 'staging' })])
    const client = clientOf(gateway.port)
    await client.send('GET / HTTP/1.1\r\nHost: order.staging.portolan\r\n\r\n').until('hello')
    client.received = ''
    await client.send('GET /new HTTP/1.1\r\nHost: x\r\n\r\n').until('no_route')
    gateway.setRoutes({
      routes: [{ match: { path: '/' }, service: 'order', namespace: 'staging' }],
      exposed: [],
    })
    await client.send('GET /new HTTP/1.1\r\nHost: x\r\n\r\n').until('hello')
  })
})

describe('claims about the way here', () => {
  const claims = 'X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: b\r\n'
  const text = get.replace('\r\n\r\n', `\r\n${claims}\r\n`)

  it.each([
    [['127.0.0.0/8'], 'X-Forwarded-For: 1.1.1.1, 127.0.0.1\r\n', 'https', 'b'],
    [['::1', '10.0.0.0/8'], 'X-Forwarded-For: 127.0.0.1\r\n', 'http', 'a'],
    [[], 'X-Forwarded-For: 127.0.0.1\r\n', 'http', 'a'],
  ])('are kept from %j only', async (trustedProxies, chain, proto, host) => {
    const upstream = await rawUpstream(answering(hello))
    const { gateway } = await gatewayFor([upstream.port], { trustedProxies })
    await clientOf(gateway.port).send(text).until('hello')
    const sent = upstream.received()
    expect(sent).toContain(chain)
    expect(sent).toContain(`X-Forwarded-Proto: ${proto}\r\n`)
    expect(sent).toContain(`X-Forwarded-Host: ${host}\r\n`)
    expect(sent).toContain('Via: 1.1 portolan\r\n')
    expect(sent.match(/X-Forwarded/g)).toHaveLength(3)
  })

  it('of a proxy that is no address are refused when the gateway opens', async () => {
    await expect(gatewayFor([], { trustedProxies: ['10.0.0.0/40'] })).rejects.toMatchObject({
      code: 'config_invalid',
    })
  })
})

describe('Via', () => {
  const vias = (sent: string) => [...sent.matchAll(/^Via: (.*)\r$/gim)].map(([, value]) => value)

  it('says behind what others have written how the request came here', async () => {
    const upstream = await rawUpstream(answering(hello))
    const { gateway } = await gatewayFor([upstream.port])
    await clientOf(gateway.port)
      .send('GET / HTTP/1.1\r\nHost: a\r\nvia: 2.0 edge, 1.1 x (y)\r\nX: y\r\n\r\n')
      .until('hello')
    await clientOf(gateway.port).send('GET / HTTP/1.0\r\n\r\n').until('hello')
    expect(vias(upstream.received())).toEqual(['2.0 edge, 1.1 x (y)', '1.1 portolan', '1.0 portolan'])
  })

  it.each([
    ['edge-1', ['1.1 edge-1']],
    ['none', []],
    ['no\r\nX: y', ['1.1 portolan']],
  ])('has the name that is configured: %j', async (via, expected) => {
    const upstream = await rawUpstream(answering(hello))
    const { gateway } = await gatewayFor([upstream.port])
    gateway.setRoutes({ routes: [{ match: {}, service: 'order' }], exposed: [], via })
    await clientOf(gateway.port).send(get).until('hello')
    expect(vias(upstream.received())).toEqual(expected)
    expect(upstream.received()).toContain('Portolan-Hop: ')
  })
})

describe('a request that comes round', () => {
  it('is refused by the gateway that sees it again, once', async () => {
    const { gateway, resolver } = await gatewayFor([])
    resolver.give('order', [instanceOf('order', 'loop', gateway.port)])
    await clientOf(gateway.port).send(get).until('Portolan-Error: loop_detected\r\n')
    expect(gateway.stats.problems.get('loop_detected')).toBe(1)
  })

  it('is so by way of another gateway, too', async () => {
    const first = await gatewayFor([])
    const second = await gatewayFor([first.gateway.port])
    first.resolver.give('order', [instanceOf('order', 'loop', second.gateway.port)])
    const client = clientOf(first.gateway.port).send(get)
    expect(await client.until('}')).toContain('HTTP/1.1 508 Loop Detected\r\n')
    expect(first.gateway.stats.problems.get('loop_detected')).toBe(1)
    expect(second.gateway.stats.problems.get('loop_detected')).toBe(0)
  })

  it('is none where gateways stand in a row, or an instance asks for another service with the same fields', async () => {
    const upstream = await rawUpstream(answering(hello))
    const { gateway, resolver } = await gatewayFor([upstream.port])
    resolver.give('front', [instanceOf('front', 'f', gateway.port)])
    const before = await gatewayFor([gateway.port])
    await clientOf(before.gateway.port).send(get).until('hello')
    const marks = upstream.received().match(/Portolan-Hop: [0-9a-f]{12}\/order\r\n/g) ?? []
    expect(new Set(marks).size).toBe(2)

    const [mark = ''] = marks.slice(1)
    const passedOn = `GET / HTTP/1.1\r\nHost: a\r\n${mark.replace('order', 'front')}\r\n`
    await clientOf(gateway.port).send(passedOn).until('hello')
  })

  it('is known by a mark that somebody has put into one line with others', async () => {
    const upstream = await rawUpstream(answering(hello))
    const { gateway } = await gatewayFor([upstream.port])
    await clientOf(gateway.port).send(get).until('hello')
    const mark = /Portolan-Hop: (\S+)/.exec(upstream.received())?.[1] ?? ''
    const again = `GET / HTTP/1.1\r\nHost: a\r\nportolan-hop: x/y/z, ${mark} , u\r\n\r\n`
    await clientOf(gateway.port).send(again).until('loop_detected')
    expect(upstream.accepted()).toBe(1)
  })
})

describe('time and room', () => {
  it.each([
    ['head_timeout', 'GET / HTT', { headMs: 60 }],
    ['body_timeout', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx', { bodyIdleMs: 60 }],
    ['response_timeout', get, { responseMs: 60 }],
    ['no_instance_available', 'GET / HTTP/1.1\r\nHost: nobody.portolan\r\n\r\n', { resolveMs: 60 }],
  ] as const)('end in %s', async (code, text, settings) => {
    const upstream = await rawUpstream(() => {})
    const routes = { routes: [{ match: { host: 'a' }, service: 'order' }], exposed: 'all' } as const
    const { gateway } = await gatewayFor([upstream.port], settings, routes)
    await clientOf(gateway.port).send(text).until(`Portolan-Error: ${code}\r\n`)
    await eventually(() => upstream.sockets.size === 0)
  })

  it('a response that stalls in its body is cut', async () => {
    const upstream = await rawUpstream(socket => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx')
    })
    const { gateway } = await gatewayFor([upstream.port], { bodyIdleMs: 60 })
    const client = clientOf(gateway.port).send(get)
    await eventually(() => client.closed)
    expect(client.error).toMatchObject({ code: 'ECONNRESET' })
  })

  it('idle connections are closed on both sides', async () => {
    const upstream = await rawUpstream(answering(hello))
    const { gateway } = await gatewayFor([upstream.port], {
      keepAliveMs: 200,
      limits: { ...limitDefaults, poolIdleMs: 60 },
    })
    const client = clientOf(gateway.port).send(get)
    await client.until('hello')
    await eventually(() => upstream.sockets.size === 0)
    expect(client.ended).toBe(false)
    await client.untilEnd()
    expect(client.received).toBe(hello)
  })

  it('connections to clients and instances are limited', async () => {
    const upstream = await rawUpstream(() => {})
    const { gateway } = await gatewayFor([upstream.port], {
      limits: { ...limitDefaults, connections: 2 },
      breaker: { ...breakerDefaults, connections: 1, pending: 0 },
    })
    clientOf(gateway.port).send(get)
    await eventually(() => upstream.accepted() === 1)
    const second = clientOf(gateway.port).send(get)
    await second.until('too_many_pending')
    const third = clientOf(gateway.port)
    await eventually(() => third.closed || third.ended)
    expect(gateway.stats.connectionsRefused).toBe(1)
  })

  it('pipelining without reading answers is not rewarded with memory', async () => {
    const body = 'x'.repeat(50_000)
    const upstream = await rawUpstream(answering(`HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n${body}`))
    const { gateway } = await gatewayFor([upstream.port])
    const client = clientOf(gateway.port)
    client.socket.pause()
    client.send(get.repeat(2000))
    const served = () => gateway.stats.of('order').classes[2] ?? 0
    await standstill(served)
    expect(served()).toBeLessThan(1900)
    let received = 0
    client.socket.removeAllListeners('data')
    client.socket.on('data', chunk => {
      received += chunk.length
    })
    client.socket.resume()
    await eventually(() => received > 2000 * 50_000)
  })

  it('a port in use is a clear error', async () => {
    const { gateway, resolver, registry } = await gatewayFor([])
    const again = openGateway({
      resolver,
      routes: { routes: [], exposed: [] },
      settings: { listen: [{ host: '127.0.0.1', port: gateway.port }] },
      clock: { now: () => 0 },
      random: () => 0,
      log: (await import('pino')).pino({ level: 'silent' }),
      metrics: registry,
    })
    await expect(again).rejects.toMatchObject({ code: 'address_in_use' })
  })
})
