import { type AffinitySettings, breakerDefaults, type Cause, type RouteTable } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import { newSealKey } from './sticky/seal.ts'
import { fixture } from './testing/fixture.ts'
import { answering, eventually, instancesOf, type TestGateway } from './testing/harness.ts'
import { instanceOf } from './testing/static-resolver.ts'

const { gatewayFor, httpUpstream, rawUpstream, clientOf } = fixture()

const key = newSealKey()

function tableOf(settings: Partial<AffinitySettings> = {}, more: Partial<RouteTable> = {}): RouteTable {
  return {
    routes: [{ match: { path: '/' }, service: 'order' }],
    exposed: 'all',
    affinity: { order: { cookie: 'at', keys: [key], ...settings } },
    ...more,
  }
}

/** An instance that says its name. */
const named = (name: string): Promise<number> => httpUpstream((_, response) => void response.end(`<${name}>`))

const portsOf = (names: string): Promise<number[]> => Promise.all([...names].map(named))

interface Answer {
  /** Who answered; empty: nobody. */
  readonly by: string
  readonly head: string
  /** The whole Set-Cookie field, and what is to be sent back of it. */
  readonly setCookie: string | undefined
  readonly cookie: string | undefined
}

function answerOf(text: string): Answer {
  const setCookie = /^Set-Cookie: (.*)\r$/m.exec(text)?.[1]
  return {
    by: /<(\w)>/.exec(text)?.[1] ?? '',
    head: text.split('\r\n\r\n')[0] ?? '',
    setCookie,
    cookie: setCookie?.split(';')[0],
  }
}

async function ask({ gateway }: TestGateway, cookie?: string, head = 'GET / HTTP/1.1'): Promise<Answer> {
  const client = clientOf(gateway.port)
  const field = cookie === undefined ? '' : `Cookie: ${cookie}\r\n`
  client.send(`${head}\r\nHost: a\r\nConnection: close\r\n${field}\r\n`)
  return answerOf(await client.untilEnd())
}

/** The cookie of a client that belongs to that instance. */
async function cookieOf(gateway: TestGateway, wanted: string): Promise<string> {
  for (let turn = 0; turn < 200; turn++) {
    const { by, cookie } = await ask(gateway)
    if (by === wanted && cookie !== undefined) return cookie
  }
  throw new Error(`nobody came to ${wanted}`)
}

const ill = (kind: Cause['kind']): { readonly causes: readonly Cause[] } => ({
  causes: [{ kind, owner: 'x', reason: 'deploy', since: '' }],
})

const stays = ({ gateway }: TestGateway) => gateway.stats.of('order').stays

describe('the cookie of a service', () => {
  it('is given with the first answer, brings the client back, and tells nothing of the instance', async () => {
    const ports = await portsOf('ABC')
    const gateway = await gatewayFor(ports, {}, tableOf())
    const homes = new Set<string>()
    const cookies = new Map<string, string>()
    for (let n = 0; n < 20; n++) {
      const first = await ask(gateway)
      expect(first.setCookie).toMatch(/^at=[\w-]{16}\.[\w-]{22}; Path=\/; HttpOnly; SameSite=Lax$/)
      homes.add(first.by)
      // The same for all clients of one instance: it tells them apart for nobody.
      expect(cookies.get(first.by) ?? first.cookie).toBe(first.cookie)
      cookies.set(first.by, first.cookie ?? '')
      const again = await ask(gateway, `a=b; ${first.cookie}; c="d"`)
      expect(again).toMatchObject({ by: first.by, setCookie: undefined })
    }
    expect(homes.size).toBe(3)
    expect(stays(gateway)).toEqual({ kept: 20, busy: 0, moved: 0, lost: 0, invalid: 0, new: 20 })
    const shown = await gateway.registry.metrics()
    expect(shown).toContain('portolan_gateway_affinity_total{service="order",result="kept"} 20')
    expect(shown).not.toContain('result="lost"')
  })

  it.each([
    [{ maxAgeMs: 3_600_500 }, '; Path=/; Max-Age=3601; HttpOnly; SameSite=Lax'],
    [{ path: '/shop', secure: true }, '; Path=/shop; HttpOnly; SameSite=Lax; Secure'],
    [
      { domain: 'shop.example', sameSite: 'strict' as const },
      '; Path=/; Domain=shop.example; HttpOnly; SameSite=Strict',
    ],
    [{ sameSite: 'none' as const, secure: true }, '; Path=/; HttpOnly; SameSite=None; Secure'],
  ])('has the attributes that %j asks for', async (settings, attributes) => {
    const gateway = await gatewayFor(await portsOf('A'), {}, tableOf(settings))
    const { setCookie = '' } = await ask(gateway)
    expect(setCookie.slice(setCookie.indexOf(';'))).toBe(attributes)
  })

  it('goes with every answer of an instance: to HEAD, POST and HTTP/1.0, and with redirects, 304 and errors', async () => {
    const port = await httpUpstream((request, response) => {
      response.writeHead(Number(request.url?.slice(1)) || 200, { location: '/x' }).end()
    })
    const gateway = await gatewayFor([port], {}, tableOf())
    for (const head of [
      'HEAD / HTTP/1.1',
      'POST / HTTP/1.1\r\nContent-Length: 0',
      'GET / HTTP/1.0',
      'GET /302 HTTP/1.1',
      'GET /304 HTTP/1.1',
      'GET /404 HTTP/1.1',
      'GET /204 HTTP/1.1',
      'POST /500 HTTP/1.1\r\nContent-Length: 0',
    ]) {
      const { setCookie, head: answer } = await ask(gateway, undefined, head)
      expect(setCookie, answer).toMatch(/^at=/)
    }
  })

  it('goes not with interim answers, and not with what the gateway answers itself', async () => {
    const upstream = await rawUpstream(
      answering(
        'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n<A>',
      ),
    )
    const gateway = await gatewayFor([upstream.port], {}, tableOf())
    const client = clientOf(gateway.gateway.port)
    await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n').until('<A>')
    expect(client.received.match(/Set-Cookie/g)).toHaveLength(1)
    expect(client.received.indexOf('Set-Cookie')).toBeGreaterThan(client.received.indexOf('200 OK'))
    gateway.resolver.give('order', [])
    const refused = await ask(gateway)
    expect(refused.head).toContain('503')
    expect(refused.setCookie).toBeUndefined()
  })

  it('goes with a 101 as well, and leads the next websocket to the same instance', async () => {
    const upgraded = (name: string) =>
      rawUpstream(
        answering(
          `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n<${name}>`,
        ),
      )
    const upstreams = await Promise.all([...'ABC'].map(upgraded))
    const gateway = await gatewayFor(
      upstreams.map(({ port }) => port),
      {},
      tableOf(),
    )
    const open = async (field = ''): Promise<Answer> => {
      const client = clientOf(gateway.gateway.port)
      client.send(`GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: chat\r\n${field}\r\n`)
      return answerOf(await client.until('>'))
    }
    const first = await open()
    expect(first.head).toContain('101')
    expect(first.cookie).toMatch(/^at=/)
    for (let n = 0; n < 5; n++) {
      expect(await open(`Cookie: ${first.cookie}\r\n`)).toMatchObject({ by: first.by, setCookie: undefined })
    }
  })

  it('is nothing that a service without affinity knows of', async () => {
    const gateway = await gatewayFor(await portsOf('AB'), {}, tableOf({}, { affinity: {} }))
    expect((await ask(gateway)).setCookie).toBeUndefined()
    expect(stays(gateway).new).toBe(0)
  })

  it.each([
    null,
    5,
    'at',
    {},
    { cookie: 'a b' },
    { cookie: 'at\r\nX: y' },
    { cookie: 'at', path: '/\r\nX: y' },
    { cookie: 'at', path: 'x;y' },
    { cookie: 'at', domain: 'x; y' },
  ])('is none where a registry says what makes none: %j', async affinity => {
    const table = { ...tableOf(), affinity: { order: affinity } }
    const gateway = await gatewayFor(await portsOf('A'), {}, JSON.parse(JSON.stringify(table)))
    expect(await ask(gateway)).toMatchObject({ by: 'A', setCookie: undefined })
  })

  it.each([
    { sameSite: 'toString' },
    { maxAgeMs: 'long' },
    { keys: 5 },
    { keys: [5, '!'] },
    { ofTomorrow: true },
  ])('is an ordinary one where a newer registry says %j', async settings => {
    const table = JSON.parse(JSON.stringify(tableOf())) as { affinity: { order: object } }
    Object.assign(table.affinity.order, settings)
    const gateway = await gatewayFor(await portsOf('A'), {}, table as unknown as RouteTable)
    expect((await ask(gateway)).setCookie).toMatch(/; Path=\/; HttpOnly; SameSite=Lax$/)
  })
})

describe('a client with a cookie', () => {
  it('gets another one when its instance drains, is out, or has gone', async () => {
    const ports = await portsOf('ABC')
    const gateway = await gatewayFor(ports, {}, tableOf())
    const [a, b, c] = instancesOf(ports)
    if (a === undefined || b === undefined || c === undefined) throw new Error('three')
    const cookie = await cookieOf(gateway, 'A')
    const moved = async (): Promise<void> => {
      const answer = await ask(gateway, cookie)
      expect(answer.by).not.toBe('A')
      expect(answer.cookie).not.toBe(cookie)
      expect(await ask(gateway, answer.cookie)).toMatchObject({ by: answer.by, setCookie: undefined })
    }
    for (const kind of ['draining', 'http', 'operator', 'disconnected'] as const) {
      gateway.resolver.give('order', [{ ...a, ...ill(kind) }, b, c])
      await moved()
    }
    gateway.resolver.give('order', [{ ...a, weight: 0 }, b, c])
    await moved()
    expect(stays(gateway)).toMatchObject({ moved: 5, lost: 0 })
    gateway.resolver.give('order', [b, c])
    await moved()
    expect(stays(gateway)).toMatchObject({ moved: 5, lost: 1, invalid: 0 })
    // Back, and run anew: it is the same one to who has kept the cookie.
    gateway.resolver.give('order', [{ ...a, incarnation: 2 }, b, c])
    expect(await ask(gateway, cookie)).toMatchObject({ by: 'A', setCookie: undefined })
  })

  it('leaves an instance that its own requests have found out, and belongs elsewhere then', async () => {
    let isBroken = false
    const broken = await httpUpstream((_, response) => {
      response.writeHead(isBroken ? 500 : 200).end('<A>')
    })
    const gateway = await gatewayFor([broken, ...(await portsOf('BC'))], {}, tableOf())
    const cookie = await cookieOf(gateway, 'A')
    isBroken = true
    for (let n = 0; n < 5; n++)
      expect(await ask(gateway, cookie)).toMatchObject({ by: 'A', setCookie: undefined })
    const { by, cookie: other } = await ask(gateway, cookie)
    expect(by).toMatch(/[BC]/)
    expect(other).toMatch(/^at=/)
    expect(stays(gateway)).toMatchObject({ kept: 5, moved: 1 })
  })

  it('goes to the least bad ones when all are ill, its own among them', async () => {
    const ports = await portsOf('ABC')
    const gateway = await gatewayFor(ports, {}, tableOf())
    const cookie = await cookieOf(gateway, 'B')
    const all = instancesOf(ports)
    gateway.resolver.give(
      'order',
      all.map(one => ({ ...one, ...ill('http') })),
    )
    for (let n = 0; n < 10; n++) expect((await ask(gateway, cookie)).by).toBe('B')
    gateway.resolver.give(
      'order',
      all.map((one, n) => ({ ...one, ...ill(n === 1 ? 'draining' : 'http') })),
    )
    expect((await ask(gateway, cookie)).by).not.toBe('B')
  })

  it('is known before the instances are: it waits for them, and goes home', async () => {
    const ports = await portsOf('ABC')
    const before = await gatewayFor(ports, {}, tableOf())
    const { by, cookie } = await ask(before)
    const gateway = await gatewayFor([], {}, tableOf())
    const answers = [1, 2, 3, 4].map(() => ask(gateway, cookie))
    await eventually(() => gateway.gateway.stats.connections === 4)
    gateway.resolver.give('order', instancesOf(ports))
    for (const answer of await Promise.all(answers))
      expect(answer).toMatchObject({ by, setCookie: undefined })
  })

  it('is moved by the try that answers when its instance refuses connections', async () => {
    const gone = await rawUpstream(answering('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n<A>'))
    const gateway = await gatewayFor([gone.port, ...(await portsOf('BC'))], {}, tableOf())
    const cookie = await cookieOf(gateway, 'A')
    gone.kill()
    const answer = await ask(gateway, cookie, 'POST / HTTP/1.1\r\nContent-Length: 0')
    expect(answer.by).toMatch(/[BC]/)
    expect(answer.cookie).not.toBe(cookie)
    expect(await ask(gateway, answer.cookie)).toMatchObject({ by: answer.by, setCookie: undefined })
    expect(stays(gateway).moved).toBe(1)
  })

  it('is moved by a try that its instance’s status asks for', async () => {
    let isBroken = false
    const broken = await httpUpstream((_, response) => {
      response.writeHead(isBroken ? 503 : 200).end('<A>')
    })
    const table = tableOf({}, { retries: { order: { on: ['refused', 503] } } })
    const gateway = await gatewayFor([broken, ...(await portsOf('BC'))], {}, table)
    const cookie = await cookieOf(gateway, 'A')
    isBroken = true
    const answer = await ask(gateway, cookie)
    expect(answer.by).toMatch(/[BC]/)
    expect(answer.cookie).not.toBe(cookie)
  })

  it('stays when a kept connection has parted: that says nothing of the instance', async () => {
    let connections = 0
    let asked = 0
    const upstream = await rawUpstream((socket, text) => {
      if (!text.includes('GET')) return
      asked++
      // The second request on a connection finds it closed.
      if (asked === 2) socket.destroy()
      else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n<A>')
    })
    upstream.server.on('connection', () => connections++)
    const gateway = await gatewayFor([upstream.port], {}, tableOf())
    const { cookie } = await ask(gateway)
    gateway.resolver.give('order', [
      ...instancesOf([upstream.port]),
      ...(await portsOf('BCDE')).map((port, n) => instanceOf('order', `other-${n}`, port)),
    ])
    expect(await ask(gateway, cookie)).toMatchObject({ by: 'A', setCookie: undefined })
    expect([asked, connections]).toEqual([3, 2])
    expect(gateway.gateway.stats.of('order').retries).toBe(1)
  })

  it('is served by another one this once, and stays, when its instance is full', async () => {
    const held: (() => void)[] = []
    const slow = await httpUpstream((request, response) => {
      if (request.url !== '/slow') response.end('<A>')
      else held.push(() => response.end('<A>'))
    })
    const other = await named('B')
    const breaker = { ...breakerDefaults, connections: 1 }
    const gateway = await gatewayFor([slow, other], { breaker }, tableOf())
    const cookie = await cookieOf(gateway, 'A')
    const waiting = ask(gateway, cookie, 'GET /slow HTTP/1.1')
    await eventually(() => held.length === 1)
    expect(await ask(gateway, cookie)).toMatchObject({ by: 'B', setCookie: undefined })
    expect(stays(gateway)).toMatchObject({ busy: 1, moved: 0 })
    held[0]?.()
    expect((await waiting).by).toBe('A')
    expect(await ask(gateway, cookie)).toMatchObject({ by: 'A', setCookie: undefined })
  })

  it('stays when it has waited in line, whoever was free first', async () => {
    const held = new Map<string, () => void>()
    const slow = (name: string) =>
      httpUpstream((request, response) => {
        if (request.url === '/slow') held.set(name, () => response.end(`<${name}>`))
        else response.end(`<${name}>`)
      })
    const ports = [await slow('A'), await slow('B')]
    const breaker = { ...breakerDefaults, connections: 1, queueTimeoutMs: 60_000 }
    const gateway = await gatewayFor(ports, { breaker }, tableOf())
    const [a, b] = [await cookieOf(gateway, 'A'), await cookieOf(gateway, 'B')]
    const slows = [ask(gateway, a, 'GET /slow HTTP/1.1'), ask(gateway, b, 'GET /slow HTTP/1.1')]
    await eventually(() => held.size === 2)
    const waiting = [ask(gateway, a), ask(gateway, a)]
    await eventually(() => gateway.gateway.stats.of('order').load?.pools.pending === 2)
    held.get('B')?.()
    for (const answer of await Promise.all(waiting)) {
      expect(answer).toMatchObject({ by: 'B', setCookie: undefined })
    }
    held.get('A')?.()
    await Promise.all(slows)
    expect(stays(gateway)).toMatchObject({ busy: 2, moved: 0 })
    expect((await ask(gateway, a)).by).toBe('A')
  })

  it('counts whatever the policy would say, and by its key where its instance is out', async () => {
    const ports = await portsOf('ABCD')
    const table = tableOf(
      {},
      { policies: { order: 'ring-hash' }, balance: { order: { hashBy: 'header:X-User' } } },
    )
    const gateway = await gatewayFor(ports, {}, table)
    const as = (user: string) => `GET / HTTP/1.1\r\nX-User: ${user}`
    const first = await ask(gateway, undefined, as('u1'))
    for (let n = 0; n < 20; n++) expect((await ask(gateway, first.cookie, as(`v${n}`))).by).toBe(first.by)
    gateway.resolver.give(
      'order',
      instancesOf(ports).filter((_, n) => 'ABCD'[n] !== first.by),
    )
    const moved = await ask(gateway, first.cookie, as('u2'))
    for (let n = 0; n < 5; n++) expect((await ask(gateway, undefined, as('u2'))).by).toBe(moved.by)
  })
})

describe('a cookie that is none of ours', () => {
  const forged = `${'A'.repeat(16)}.${'B'.repeat(22)}`

  it.each([
    ['forged', `at=${forged}`],
    ['empty', 'at='],
    ['two quotes', 'at=""'],
    ['no value', 'at'],
    ['an application’s', 'at=u-42|1700000000'],
    ['an instance’s id', 'at=order-1'],
    ['long', `at=${'x'.repeat(12_000)}`],
    ['bytes', 'at=\xff\xfe; at=\x80'],
    ['many', Array<string>(2000).fill('at=x').join(';')],
  ])('is replaced: %s', async (what, cookie) => {
    const gateway = await gatewayFor(await portsOf('AB'), {}, tableOf())
    const answer = await ask(gateway, cookie)
    expect(answer.by).toMatch(/[AB]/)
    expect(answer.cookie).toMatch(/^at=[\w-]{16}\.[\w-]{22}$/)
    expect(stays(gateway)).toMatchObject(what === 'no value' ? { new: 1 } : { invalid: 1 })
  })

  it('does not hide one that is: of several, that one counts', async () => {
    const gateway = await gatewayFor(await portsOf('ABCD'), {}, tableOf())
    const { by, cookie = '' } = await ask(gateway)
    const quoted = cookie.replace('=', '="').concat('"')
    for (const field of [
      `at=x; ${cookie}`,
      `${cookie}; at=x`,
      `at=x\r\nCookie: ${cookie}`,
      `at=${forged}; at=${'x'.repeat(5000)}; ${cookie}`,
      quoted,
      `\t at \t= ${cookie.slice(3)}\t ;`,
    ]) {
      expect(await ask(gateway, field)).toMatchObject({ by })
    }
    // Names have a case, and no signature of another token holds.
    expect(stays(gateway).kept).toBe(6)
    await ask(gateway, cookie.replace('at', 'AT'))
    expect(stays(gateway).new).toBe(2)
    await ask(gateway, `at=${'A'.repeat(16)}${cookie.slice(19)}`)
    expect(stays(gateway).invalid).toBe(1)
  })
})

describe('gateways of one registry', () => {
  it('take each other’s cookies', async () => {
    const ports = await portsOf('ABCDE')
    const [one, other] = [await gatewayFor(ports, {}, tableOf()), await gatewayFor(ports, {}, tableOf())]
    for (let n = 0; n < 10; n++) {
      const { by, cookie } = await ask(one)
      expect(await ask(other, cookie)).toMatchObject({ by, setCookie: undefined })
    }
    expect(stays(other)).toMatchObject({ kept: 10, invalid: 0 })
  })

  it('do so for cookies of a key that was replaced, and give new ones for them, until it is gone', async () => {
    const ports = await portsOf('ABCDE')
    const gateway = await gatewayFor(ports, {}, tableOf())
    const { by, cookie } = await ask(gateway)
    const newer = newSealKey()
    gateway.gateway.setRoutes(tableOf({ keys: [newer, key] }))
    const renewed = await ask(gateway, cookie)
    expect(renewed.by).toBe(by)
    expect(renewed.cookie).toMatch(/^at=/)
    expect(renewed.cookie).not.toBe(cookie)
    expect(await ask(gateway, renewed.cookie)).toMatchObject({ by, setCookie: undefined })
    expect(stays(gateway)).toMatchObject({ kept: 2, moved: 0 })
    gateway.gateway.setRoutes(tableOf({ keys: [newer] }))
    expect(await ask(gateway, renewed.cookie)).toMatchObject({ by, setCookie: undefined })
    expect((await ask(gateway, cookie)).cookie).toMatch(/^at=/)
    expect(stays(gateway).invalid).toBe(1)
  })

  it('that are told no key make their own: it holds over changes of the routes, and nowhere else', async () => {
    const ports = await portsOf('ABCDE')
    const keyless = { cookie: 'at' }
    const table = { ...tableOf(), affinity: { order: keyless } }
    const [one, other] = [await gatewayFor(ports, {}, table), await gatewayFor(ports, {}, table)]
    const { by, cookie } = await ask(one)
    one.gateway.setRoutes({ ...table, affinity: { order: { ...keyless, secure: true } } })
    expect(await ask(one, cookie)).toMatchObject({ by, setCookie: undefined })
    expect((await ask(other, cookie)).cookie).toMatch(/^at=/)
    expect(stays(other).invalid).toBe(1)
  })
})
