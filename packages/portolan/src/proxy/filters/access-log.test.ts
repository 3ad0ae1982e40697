import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AccessLogSettings, RouteTable } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import { fixture } from '../testing/fixture.ts'
import { answering, eventually, hello, type RawClient } from '../testing/harness.ts'

const { opened, gatewayFor, rawUpstream, clientOf } = fixture()

type Line = Readonly<Record<string, unknown>>

/** A gateway that logs, and how to end it and read what it has written. */
async function logging(log: Partial<AccessLogSettings>, response = hello, more: Partial<RouteTable> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'portolan-log-'))
  opened.add(() => rm(folder, { recursive: true }))
  const path = join(folder, 'access.log')
  const upstream = await rawUpstream(answering(response))
  const accessLog = { sample: 1, path, ...log }
  const table: RouteTable = {
    routes: [{ match: { path: '/a' }, service: 'order' }],
    exposed: [],
    accessLog,
    ...more,
  }
  const { gateway, registry } = await gatewayFor([upstream.port], {}, table)
  const clients: RawClient[] = []
  const text = () => readFile(path, 'utf8').catch(() => '')
  return {
    gateway,
    registry,
    upstream,
    table,
    client() {
      const client = clientOf(gateway.port)
      clients.push(client)
      return client
    },
    text,
    async lines(): Promise<Line[]> {
      for (const { socket } of clients) socket.destroy()
      await gateway.close()
      return (await text()).split('\n').flatMap(line => (line === '' ? [] : [JSON.parse(line) as Line]))
    },
  }
}

const get = (path: string, fields = '') => `GET ${path} HTTP/1.1\r\nHost: shop.example\r\n${fields}\r\n`

describe('the access log', () => {
  it('says that the client’s cookie has named the instance', async () => {
    const { client, lines } = await logging({}, hello, { affinity: { order: { cookie: 'at' } } })
    const one = client()
    await one.send(get('/a')).until('hello')
    const cookie = /^Set-Cookie: ([^;]*)/m.exec(one.received)?.[1]
    one.received = ''
    await one.send(get('/a', `Cookie: ${cookie}\r\n`)).until('hello')
    const picks = (await lines()).map(({ pick }) => pick)
    expect(picks).toMatchObject([{ by: 'policy' }, { by: 'affinity' }])
    expect(JSON.stringify(picks)).not.toContain(cookie?.slice(3))
  })

  it('has a line for each request, which says why the instance was picked, and no query', async () => {
    const { client, lines } = await logging({})
    const one = client()
    await one
      .send(get('/a/b?token=secret', 'Authorization: Bearer hidden\r\nCookie: sid=hidden\r\n'))
      .until('hello')
    const [line, ...more] = await lines()
    expect(more).toEqual([])
    expect(line).toMatchObject({
      client: '127.0.0.1',
      method: 'GET',
      path: '/a/b',
      host: 'shop.example',
      status: 200,
      bytes: hello.length,
      service: 'order',
      instance: 'order-1',
      tries: 1,
      pick: { policy: 'least-request', by: 'policy', inFlight: 0 },
    })
    expect(Math.abs(Date.now() - Date.parse(String(line?.time)))).toBeLessThan(60_000)
    expect(line?.ms).toBeGreaterThan(0)
    expect(line).not.toHaveProperty('code')
    expect(JSON.stringify(line)).not.toMatch(/hidden|secret|token/)
  })

  it('says why an answer could not be passed on, and nothing of what was in it', async () => {
    const { client, lines } = await logging({}, 'HTTP/1.1 200 OK\r\nX: hidden\r\nhidden\r\n\r\n')
    await client().send(get('/a')).until('bad_response')
    const [line] = await lines()
    expect(line).toMatchObject({ status: 502, code: 'bad_response', detail: 'bad_field_name' })
    expect(JSON.stringify(line)).not.toContain('hidden')
  })

  it('keeps queries where it is told to, and cuts what is endless', async () => {
    const { client, lines } = await logging({ query: true })
    const path = `/a?${'b'.repeat(3000)}`
    await client().send(get(path)).until('hello')
    expect((await lines())[0]?.path).toBe(`${path.slice(0, 1024)}…`)
  })

  it('writes down what was refused before it had a service: no route, and what is no request', async () => {
    const { client, lines } = await logging({})
    await client().send(get('/elsewhere?x')).until('no_route')
    await client().send('GET / HTTP/1.1\r\nHost: x\r\nBad name: 1\r\n\r\n').untilEnd()
    const written = await lines()
    expect(written[0]).toMatchObject({ method: 'GET', path: '/elsewhere', status: 404, code: 'no_route' })
    expect(written[1]).toMatchObject({ client: '127.0.0.1', status: 400, code: 'bad_field_name' })
  })

  it('says with what a request that could not be read to its end was answered', async () => {
    const { client, lines } = await logging({}, '')
    const chunked = get('/a', 'Transfer-Encoding: chunked\r\n').replace('GET', 'POST')
    const one = client()
    one.send(`${chunked}2\r\nab\r\n`)
    await new Promise(resolve => setTimeout(resolve, 20))
    await one.send('zz\r\n').untilEnd()
    expect((await lines())[0]).toMatchObject({ method: 'POST', status: 400, code: 'bad_chunk_size' })
  })

  it('always has failures and answers that were cut, and of the rest what it draws', async () => {
    const failing = 'HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n'
    const { client, lines, gateway, table } = await logging({ sample: 1e-9 }, failing)
    await client().send(get('/a')).until('500')
    await client().send(get('/x')).until('404')
    gateway.setRoutes({ ...table, routes: [{ match: { path: '/a' }, service: 'nobody' }] })
    await client().send(get('/a')).until('no_instance')
    const written = await lines()
    expect(written.map(({ status, code }) => [status, code])).toEqual([
      [500, undefined],
      [503, 'no_instance_available'],
    ])
    expect(written[1]).not.toHaveProperty('pick')
  })

  it('is off where nothing is drawn, and off and on again with the route table', async () => {
    const { client, text, lines, gateway, table } = await logging({ sample: 0 })
    const one = client()
    await one.send(get('/a')).until('hello')
    gateway.setRoutes({ ...table, accessLog: { sample: 1, path: table.accessLog?.path ?? '' } })
    one.received = ''
    await one.send(get('/a/second')).until('hello')
    let written = ''
    await eventually(() => {
      void text().then(found => {
        written = found
      })
      return written.includes('second')
    })
    gateway.setRoutes({ ...table, accessLog: { sample: 0 } })
    one.received = ''
    await one.send(get('/a/third')).until('hello')
    expect((await lines()).map(({ path }) => path)).toEqual(['/a/second'])
  })

  it('draws about as many as it is told to', async () => {
    const { client, lines } = await logging({ sample: 0.3 })
    const one = client()
    for (let count = 0; count < 10; count++) one.send(get('/a').repeat(40))
    await one.until(() => one.received.split('hello').length > 400)
    const written = (await lines()).length
    expect(written).toBeGreaterThan(70)
    expect(written).toBeLessThan(170)
  })

  it('lets no control character through, and escapes quotes', async () => {
    const { client, text, lines } = await logging({})
    const one = client()
    await one.send(get('/a/"quoted"/\x9b31m\x7f')).until('\r\n\r\n')
    const written = await lines()
    expect(written).toHaveLength(1)
    const codes = [...(await text()).trim()].map(character => character.charCodeAt(0))
    expect(codes.filter(code => code < 32 || (code >= 127 && code < 160))).toEqual([])
  })

  it('counts what it writes', async () => {
    const { client, registry } = await logging({})
    await client().send(get('/a')).until('hello')
    let shown = ''
    await eventually(() => {
      void registry.metrics().then(found => {
        shown = found
      })
      return shown.includes('portolan_gateway_access_log_lines_total 1')
    })
    expect(shown).toContain('portolan_gateway_access_log_dropped_total 0')
  })
})
