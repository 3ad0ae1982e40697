import type { RouteTable } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import { fixture } from '../testing/fixture.ts'
import { answering, eventually, hello, type RawClient } from '../testing/harness.ts'

const { gatewayFor, rawUpstream, clientOf } = fixture()

const table: RouteTable = {
  routes: [
    { match: { path: '/small' }, service: 'order', maxBody: 10 },
    { match: { path: '/any' }, service: 'order', maxBody: 0 },
    { match: { path: '/' }, service: 'order' },
  ],
  exposed: 'all',
  maxBody: 20,
}
const sized = (path: string, length: number) =>
  `POST ${path} HTTP/1.1\r\nHost: order.portolan\r\nContent-Length: ${length}\r\n\r\n`
const chunked = (path: string) => `POST ${path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`

async function through(onData = answering(hello)) {
  const upstream = await rawUpstream(onData)
  const { gateway } = await gatewayFor([upstream.port], {}, table)
  return { upstream, gateway, client: clientOf(gateway.port) }
}

describe('body-limit', () => {
  it.each([
    ['/small', 11],
    ['/', 21],
  ])('refuses what says that it is too large, at once: %s %d', async (path, length) => {
    const { client, upstream } = await through()
    const answer = await client.send(sized(path, length)).untilEnd()
    expect(answer).toMatch(/^HTTP\/1.1 413 Content Too Large\r\n/)
    expect(answer).toContain('Portolan-Error: body_too_large\r\n')
    expect(answer).toContain('Connection: close\r\n')
    expect(upstream.accepted()).toBe(0)
  })

  it.each([
    ['/small', 10],
    ['/', 20],
    ['/any', 100],
  ])('takes what is not: %s %d', async (path, length) => {
    const { client, upstream } = await through()
    await client.send(`${sized(path, length)}${'x'.repeat(length)}`).until('hello')
    await eventually(() => upstream.received().endsWith('x'.repeat(length)))
  })

  it('holds for hosts that no route names', async () => {
    const upstream = await rawUpstream(answering(hello))
    const { gateway } = await gatewayFor([upstream.port], {}, { routes: [], exposed: 'all', maxBody: 5 })
    expect(await clientOf(gateway.port).send(sized('/', 6)).untilEnd()).toContain('body_too_large')
  })

  it('counts the content of chunks, however they come, and not their framing', async () => {
    const { client, upstream } = await through()
    client.send(chunked('/small'))
    for (const byte of '5;ext=1\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n') client.send(byte)
    await client.until('hello')
    await eventually(() => upstream.received().endsWith('5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n'))
  })

  it.each([
    [
      'with its head',
      (client: RawClient) => client.send(`${chunked('/small')}b\r\nhello world\r\n0\r\n\r\n`),
    ],
    [
      'later',
      async (client: RawClient, received: () => string) => {
        client.send(`${chunked('/small')}6\r\nhello \r\n`)
        await eventually(() => received().endsWith('hello \r\n'))
        client.send('5\r\nworld\r\n')
      },
    ],
  ])('refuses a chunked body when it becomes too large: %s', async (_, send) => {
    const { client, upstream, gateway } = await through(() => {})
    await send(client, upstream.received)
    expect(await client.untilEnd()).toMatch(/^HTTP\/1.1 413 /)
    await eventually(() => upstream.sockets.size === 0)
    expect(upstream.received()).not.toContain('world')
    expect(gateway.stats.problems.get('body_too_large')).toBe(1)
  })

  it('cuts the connection where the answer has begun', async () => {
    const { client, upstream } = await through(socket => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun')
    })
    await client.send(`${chunked('/small')}1\r\nx\r\n`).until('begun')
    client.send('20\r\n')
    await eventually(() => client.closed)
    expect(client.received).not.toContain('413')
    await eventually(() => upstream.sockets.size === 0)
  })
})
