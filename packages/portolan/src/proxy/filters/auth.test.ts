import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AuthSettings, Route, RouteTable } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import { fixture } from '../testing/fixture.ts'
import { answering, eventually, hello } from '../testing/harness.ts'
import { instanceOf } from '../testing/static-resolver.ts'

const { gatewayFor, httpUpstream, rawUpstream, clientOf } = fixture()

type Answer = (request: IncomingMessage, response: ServerResponse) => void
const get = (fields = '') => `GET /a?b HTTP/1.1\r\nHost: shop.example\r\n${fields}\r\n`

/** A gateway that asks a hook which answers so, before an instance. */
async function asking(answer: Answer, more: Partial<AuthSettings> = {}, route: Partial<Route> = {}) {
  const questions: IncomingMessage[] = []
  const port = await httpUpstream((request, response) => {
    questions.push(request)
    answer(request, response)
  })
  const upstream = await rawUpstream(answering(hello))
  const settings: AuthSettings = {
    url: `http://127.0.0.1:${port}/check`,
    timeoutMs: 200,
    headers: ['Authorization'],
    take: ['X-User'],
    failOpen: false,
    cacheForMs: 0,
    ...more,
  }
  const table: RouteTable = {
    routes: [{ match: { path: '/' }, service: 'order', ...route }],
    exposed: [],
    auths: { order: settings },
  }
  const { gateway, registry, resolver } = await gatewayFor([upstream.port], {}, table)
  return {
    questions,
    upstream,
    gateway,
    registry,
    resolver,
    hookPort: port,
    client: clientOf(gateway.port),
  }
}

const yes: Answer = (_, response) => response.setHeader('X-User', 'ada').end()

describe('auth', () => {
  it('asks with what the request says, and tells the instance what was answered', async () => {
    const { client, questions, upstream } = await asking(yes)
    await client.send(get('Authorization: Bearer t\r\nCookie: c\r\n')).until('hello')
    expect(questions).toHaveLength(1)
    expect(questions[0]).toMatchObject({ method: 'GET', url: '/check' })
    expect(questions[0]?.headers).toMatchObject({
      authorization: 'Bearer t',
      'x-forwarded-method': 'GET',
      'x-forwarded-uri': '/a?b',
      'x-forwarded-host': 'shop.example',
      'x-forwarded-proto': 'http',
      'x-forwarded-for': '127.0.0.1',
    })
    expect(questions[0]?.headers).not.toHaveProperty('cookie')
    expect(upstream.received()).toContain('x-user: ada\r\n')
    expect(upstream.received()).toContain('Authorization: Bearer t\r\n')
  })

  it('lets nobody say of himself what only the hook may say', async () => {
    const { client, upstream } = await asking((_, response) => response.end())
    await client.send(get('X-User: root\r\nx_user: root\r\nX-USER: root\r\n')).until('hello')
    expect(upstream.received()).not.toMatch(/x.user/i)
  })

  it('lets nobody say so behind a body either, nor what the hook was asked by', async () => {
    const { client, upstream } = await asking((_, response) => response.end())
    const trailers = 'X-User: root\r\nx_USER: root\r\nAuthorization: Bearer other\r\nX-Sum: 1\r\n'
    await client
      .send(`POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n${trailers}\r\n`)
      .until('hello')
    expect(upstream.received()).toMatch(/\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 1\r\n\r\n$/)
  })

  it('passes a no on, with how to do better, and serves the next request', async () => {
    const { client, upstream } = await asking(({ headers }, response) => {
      if (headers.authorization === undefined)
        response
          .writeHead(401, { 'WWW-Authenticate': 'Bearer realm="x"', 'Content-Type': 'text/plain' })
          .end('who?')
      else response.writeHead(403).end()
    })
    const first = await client.send(get()).until('who?')
    expect(first).toMatch(/^HTTP\/1.1 401 Unauthorized\r\nDate: /)
    expect(first).toContain('\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n')
    expect(first).toContain('WWW-Authenticate: Bearer realm="x"\r\n')
    expect(first).toContain('Portolan-Error: auth_required\r\n')
    client.received = ''
    expect(await client.send(get('Authorization: t\r\n')).until('}\n')).toContain(
      'Portolan-Error: auth_refused\r\n',
    )
    expect(upstream.received()).toBe('')
  })

  it('passes a no’s body on as it is, of whatever type, and none of one that is too long', async () => {
    let body = 'just no'
    const { client } = await asking((_, response) => response.writeHead(403).end(body))
    const answer = await client.send(get()).until('just no')
    expect(answer).toMatch(/^HTTP\/1.1 403 Forbidden\r\n[\s\S]*Content-Length: 7\r\n/)
    expect(answer).not.toMatch(/content-type/i)
    for (const length of [16_384, 16_385]) {
      body = 'n'.repeat(length)
      client.received = ''
      await client.send(get()).until(() => /n{16384}$|\}\n$/.test(client.received))
      expect(client.received.endsWith(body)).toBe(length === 16_384)
      expect(client.received).toContain('Portolan-Error: auth_refused\r\n')
    }
    expect(client.received).toContain('Content-Type: application/json\r\n')
  })

  it.each<[string, Answer]>([
    ['fails', (_, response) => response.writeHead(500).end()],
    ['sends elsewhere', (_, response) => response.writeHead(302, { location: 'http://127.0.0.1/' }).end()],
    ['says nothing', () => {}],
    ['hangs up', request => request.socket.destroy()],
  ])('lets nothing pass when the hook %s', async (_, answer) => {
    const { client, upstream } = await asking(answer)
    const refused = await client.send(get()).until('}\n')
    expect(refused).toContain('HTTP/1.1 503 Service Unavailable\r\n')
    expect(refused).toContain('auth_unavailable')
    expect(upstream.received()).toBe('')
  })

  it('lets pass what nobody can be asked about, where that is wanted, and no claims with it', async () => {
    const { client, upstream } = await asking(() => {}, { failOpen: true, url: 'http://127.0.0.1:1/' })
    await client.send(get('X-User: root\r\n')).until('hello')
    expect(upstream.received()).not.toMatch(/x-user/i)
  })

  it('keeps a yes for the very same, and no longer than it may', async () => {
    const { client, questions, upstream, registry } = await asking(yes, { cacheForMs: 200 })
    const ask = async (fields: string): Promise<void> => {
      client.received = ''
      await client.send(get(fields)).until('hello')
    }
    for (const fields of ['Authorization: a\r\n', 'Authorization: a\r\n', 'Authorization: b\r\n'])
      await ask(fields)
    expect(questions).toHaveLength(2)
    expect(upstream.received().match(/x-user: ada/g)).toHaveLength(3)
    expect(await registry.metrics()).toContain('portolan_gateway_auth_total{result="cached"} 1')
    await new Promise(resolve => setTimeout(resolve, 220))
    await ask('Authorization: a\r\n')
    expect(questions).toHaveLength(3)
  })

  it('takes no other fields for the very same, however they are put together', async () => {
    const { client, questions } = await asking(yes, {
      headers: ['Authorization', 'Cookie'],
      cacheForMs: 60_000,
    })
    for (const fields of [
      'Authorization: a\r\nCookie: b\r\n',
      'Authorization: a\r\nAuthorization: cookie\r\nAuthorization: b\r\n',
      'Authorization: a\r\nAuthorization: b\r\n',
      'Cookie: a\r\nCookie: b\r\n',
    ]) {
      client.received = ''
      await client.send(get(fields)).until('hello')
    }
    expect(questions).toHaveLength(4)
  })

  it('keeps neither a no nor what is not to be kept', async () => {
    let status = 403
    const { client, questions } = await asking(
      (_, response) => response.writeHead(status, { 'cache-control': 'no-store' }).end(),
      { cacheForMs: 60_000 },
    )
    await client.send(get()).until('auth_refused')
    status = 200
    for (let count = 0; count < 2; count++) {
      client.received = ''
      await client.send(get()).until('hello')
    }
    expect(questions).toHaveLength(3)
  })

  it('sends the body after the yes, once', async () => {
    let say = (): void => {}
    const { client, questions, upstream } = await asking(
      (_, response) => {
        say = () => void response.end()
      },
      { timeoutMs: 5000 },
    )
    client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\nbody')
    await eventually(() => questions.length === 1)
    client.send('more')
    say()
    await client.until('hello')
    expect(upstream.received()).toMatch(/\r\n\r\nbodymore$/)
  })

  it('does not take the answer for a request that has left for that of the next', async () => {
    const { client, questions, gateway, upstream } = await asking(() => {}, { timeoutMs: 5000 })
    client.send(get())
    await eventually(() => questions.length === 1)
    client.socket.resetAndDestroy()
    await eventually(() => questions[0]?.socket.destroyed === true)
    expect(upstream.received()).toBe('')
    expect(gateway.stats.connections).toBe(0)
  })

  it('asks an instance of a service', async () => {
    const { hookPort, upstream, questions, ...rest } = await asking(yes)
    const table: RouteTable = {
      routes: [{ match: { path: '/' }, service: 'order' }],
      exposed: [],
      auths: {
        order: {
          service: 'guard',
          path: '/may?x',
          timeoutMs: 1000,
          headers: [],
          take: ['x-user'],
          failOpen: false,
          cacheForMs: 0,
        },
      },
    }
    expect(rest.resolver.isWatched('guard')).toBe(false)
    rest.gateway.setRoutes(table)
    // So that its instances are known when the first request comes.
    expect(rest.resolver.isWatched('guard')).toBe(true)
    await rest.client.send(get()).until('auth_unavailable')
    rest.resolver.give('guard', [instanceOf('guard', 'guard-1', hookPort)])
    rest.client.received = ''
    await rest.client.send(get()).until('hello')
    expect(questions[0]?.url).toBe('/may?x')
    expect(upstream.received()).toContain('x-user: ada\r\n')
  })

  it('is what the route says, where it says anything', async () => {
    const { client, questions } = await asking(yes, {}, { auth: 'none' })
    await client.send(get()).until('hello')
    expect(questions).toHaveLength(0)
  })

  it('lets nobody say what only the hook may say, where the route asks nobody', async () => {
    const { client, upstream } = await asking(yes, {}, { auth: 'none' })
    const body = 'Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX_User: root\r\nX-Sum: 1\r\n\r\n'
    await client.send(`POST / HTTP/1.1\r\nHost: x\r\nX-User: root\r\n${body}`).until('hello')
    expect(upstream.received()).toMatch(/\r\n0\r\nX-Sum: 1\r\n\r\n$/)
    expect(upstream.received()).not.toMatch(/x.user/i)
  })

  it('lets nothing pass where it does not know whom to ask', async () => {
    const strange = { timeoutMs: 100, headers: [], take: [], failOpen: true, cacheForMs: 0 } as AuthSettings
    const { client } = await asking(yes, {}, { auth: strange })
    await client.send(get()).until('auth_unavailable')
  })
})
