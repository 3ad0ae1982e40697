import { diceFrom, type Redirect, type Route, type RouteTable, seededRandom } from '@portolan/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Router } from './router.ts'
import { headOf } from './testing/heads.ts'

const hop = { peer: '192.0.2.7', trusted: false, scheme: 'http', forwarded: new Uint8Array() } as const

interface Asked {
  readonly method: string
  readonly host: string
  readonly path: string
  readonly fields: readonly (readonly [string, string])[]
}

function routed(router: Router, { method, host, path, fields }: Asked): string | undefined {
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const { bytes, head } = headOf(`${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n${lines}\r\n`)
  const found = router.route(bytes, head, hop)
  if (found === undefined) return undefined
  if ('status' in found) return `${found.status} ${found.lines}`
  return `${found.service.namespace}/${found.service.service}`
}

const asking = (part: Partial<Asked>): Asked => ({ method: 'GET', host: 'x', path: '/', fields: [], ...part })
const table = (routes: readonly Route[], exposed: RouteTable['exposed'] = []): Router =>
  new Router({ routes, exposed }, diceFrom(seededRandom(5)))

/** The same in strings, as plainly as it can be said. */
function reference(routes: readonly Route[], { method, host, path, fields }: Asked): string | undefined {
  const name = host.replace(/:\d*$/, '').replace(/\.$/, '').toLowerCase()
  const [plain = ''] = path.split('?')
  const found = routes.find(({ match }) => {
    if (match.method !== undefined && match.method !== method) return false
    if (match.path !== undefined && match.path !== '/') {
      const prefix = match.path.endsWith('/') ? match.path : `${match.path}/`
      if (plain !== match.path && !plain.startsWith(prefix)) return false
    }
    if (match.host !== undefined) {
      const asked = match.host.toLowerCase().replace(/\.$/, '')
      if (asked.startsWith('*.') ? !name.endsWith(asked.slice(1)) || name === asked.slice(1) : name !== asked)
        return false
    }
    return Object.entries(match.headers ?? {}).every(([field, value]) =>
      fields.some(([one, said]) => one.toLowerCase() === field.toLowerCase() && said === value),
    )
  })
  if (found === undefined) return undefined
  return `${found.namespace ?? 'default'}/${found.service}`
}

const anyCase = (text: string) =>
  fc
    .array(fc.boolean(), { minLength: text.length, maxLength: text.length })
    .map(upper => [...text].map((char, i) => (upper[i] ? char.toUpperCase() : char)).join(''))
const hosts = [
  'example.org',
  'a.example.org',
  'b.a.example.org',
  'xexample.org',
  '.example.org',
  'org',
  '[::1]',
]
const paths = ['/', '/a', '/a/', '/a/b', '/ab', '/a?b', '/a/?b', '/?a', '/b/a', '*']
const names = ['x-a', 'x-b', 'accept']
const values = ['', '1', 'a b', 'A b', '2']
const methods = ['GET', 'POST', 'get', 'OPTIONS', 'PURGE']

const match = fc.record(
  {
    host: fc
      .constantFrom(...hosts, '*.example.org', '*.a.example.org', '*.org', 'example.org.')
      .chain(anyCase),
    path: fc.constantFrom(...paths.filter(path => path !== '*' && !path.includes('?'))),
    method: fc.constantFrom(...methods),
    headers: fc.dictionary(fc.constantFrom(...names).chain(anyCase), fc.constantFrom(...values), {
      maxKeys: 3,
    }),
  },
  { requiredKeys: [] },
)
const routes = fc
  .array(match, { maxLength: 8 })
  .map(all => all.map((one, index): Route => ({ match: one, service: `s${index}`, namespace: 'n' })))
const request = fc
  .record({
    method: fc.constantFrom(...methods),
    host: fc.tuple(fc.constantFrom(...hosts).chain(anyCase), fc.constantFrom('', '.', ':80', '.:80', ':')),
    path: fc.constantFrom(...paths),
    fields: fc.array(fc.tuple(fc.constantFrom(...names, 'y').chain(anyCase), fc.constantFrom(...values)), {
      maxLength: 4,
    }),
  })
  .map(({ host: [host, end], ...rest }) => ({
    ...rest,
    host: host.endsWith(']') ? `${host}${end.replace('.', '')}` : `${host}${end}`,
  }))
  .map(one => (one.path === '*' ? { ...one, method: 'OPTIONS' } : one))

describe('Router', () => {
  it('decides as one that compares strings', () => {
    let taken = 0
    fc.assert(
      fc.property(routes, request, (all, asked) => {
        const expected = reference(all, asked)
        if (expected !== undefined) taken++
        expect(routed(table(all), asked)).toBe(expected)
      }),
      { numRuns: 8000 },
    )
    expect(taken).toBeGreaterThan(300)
  })

  it('asks for all of several headers, and for any of several fields of one name', () => {
    const router = table([{ match: { headers: { 'X-A': '1', 'x-b': '2' } }, service: 'canary' }])
    expect(routed(router, asking({ fields: [['x-a', '1']] }))).toBeUndefined()
    expect(
      routed(
        router,
        asking({
          fields: [
            ['X-B', '2'],
            ['x-a', '0'],
            ['x-a', '1'],
          ],
        }),
      ),
    ).toBe('default/canary')
    expect(
      routed(
        router,
        asking({
          fields: [
            ['x-a', '1'],
            ['x-b', '2 '],
          ],
        }),
      ),
    ).toBe('default/canary')
    expect(
      routed(
        router,
        asking({
          fields: [
            ['x-a', '1'],
            ['x-b', '2,'],
          ],
        }),
      ),
    ).toBeUndefined()
  })

  it('sends nothing by a route that asks for something unknown, whatever a newer registry says', () => {
    const strange = [
      { match: { query: { a: '1' } }, service: 'a' },
      { match: { path: { regex: 'x' } }, service: 'b' },
      { match: { headers: { x: { prefix: 'y' } } }, service: 'c' },
      { match: { headers: 7 }, service: 'd' },
      { match: {}, service: 'e', mirror: 'f' },
    ] as unknown as readonly Route[]
    expect(routed(table(strange), asking({ fields: [['x', 'y']] }))).toBe('default/e')
  })

  it('takes NAME.portolan in any case; a service is spelled as the table spells it, or else as it is asked for', () => {
    const router = table([{ match: { path: '/never' }, service: 'Cart', namespace: 'Shop' }], 'all')
    expect(routed(router, asking({ host: 'order.PORTOLAN.:80' }))).toBe('default/order')
    expect(routed(router, asking({ host: 'ORDER.portolan' }))).toBe('default/ORDER')
    expect(routed(router, asking({ host: 'cart.shop.portolan' }))).toBe('Shop/Cart')
    const beyond = table([], ['Order', 'n/b', 'ORDER'])
    expect(routed(beyond, asking({ host: 'Order.portolan' }))).toBe('default/Order')
    expect(routed(beyond, asking({ host: 'B.N.Portolan' }))).toBe('n/b')
    expect(routed(beyond, asking({ host: 'other.portolan' }))).toBeUndefined()
    expect(routed(beyond, asking({ host: '.portolan' }))).toBeUndefined()
  })

  const canary = (by?: string, weights: readonly number[] = [90, 10]): Router => {
    const split = weights.map((weight, index) => ({ service: `v${index + 1}`, weight }))
    return table([{ match: {}, split, ...(by === undefined ? {} : { splitBy: by }) }], 'all')
  }
  const shares = (router: Router, fields: (turn: number) => Asked['fields'] = () => []) => {
    const counts: Record<string, number> = {}
    for (let turn = 0; turn < 2000; turn++) {
      const name = routed(router, asking({ fields: fields(turn) })) ?? 'nobody'
      counts[name] = (counts[name] ?? 0) + 1
    }
    return counts
  }

  it('divides requests by weight', () => {
    const counts = shares(canary())
    expect(counts['default/v1']).toBeGreaterThan(1720)
    expect(counts['default/v1']).toBeLessThan(1880)
    expect(counts['default/v2']).toBe(2000 - (counts['default/v1'] ?? 0))
  })

  it('keeps who has a key on one side, over changes of the table', () => {
    const cookie = (user: number): Asked['fields'] => [['cookie', `a=b; user=${user}`]]
    const sideOf = (router: Router, user: number) => routed(router, asking({ fields: cookie(user) }))
    const canaries = (router: Router) =>
      Array.from({ length: 1000 }, (_, user) => user).filter(user => sideOf(router, user) === 'default/v2')
    const few = canaries(canary('cookie:user'))
    expect(few.length).toBeGreaterThan(60)
    expect(few.length).toBeLessThan(140)
    expect(canaries(canary('cookie:user'))).toEqual(few)
    const more = canaries(canary('cookie:user', [70, 30]))
    expect(more).toEqual(expect.arrayContaining(few))
    expect(more.length).toBeGreaterThan(few.length)
    expect(shares(canary('header:x-user'), () => [['X-User', 'one']])).toSatisfy(
      (counts: object) => Object.keys(counts).length === 1,
    )
    expect(Object.keys(shares(canary('address')))).toHaveLength(1)
    // Without the key by chance.
    expect(Object.keys(shares(canary('cookie:user')))).toHaveLength(2)
  })

  it('sends nobody to a weight of 0, and nowhere else where there is nobody', () => {
    expect(shares(canary(undefined, [0, 1]))).toEqual({ 'default/v2': 2000 })
    expect(shares(canary(undefined, [0, 0]))).toEqual({ nobody: 2000 })
    expect(canary(undefined, [0, 1]).services).toHaveLength(2)
    const unheardOf = [
      { match: {}, elsewhere: 1 },
      { match: {}, service: 'a' },
    ] as readonly Route[]
    expect(routed(table(unheardOf, 'all'), asking({ host: 'b.portolan' }))).toBeUndefined()
  })

  it.each<[Redirect, string, string, string]>([
    [{ to: 'https://elsewhere.example/x' }, '/old', 'shop', '308 Location: https://elsewhere.example/x'],
    [{ path: '/new', status: 301 }, '/old/a?b=/c', 'shop', '301 Location: /new/a?b=/c'],
    [{ path: '/new/' }, '/old', 'shop', '308 Location: /new'],
    [{ path: '/' }, '/old?q', 'shop', '308 Location: /?q'],
    [{ path: '/' }, '/old//evil.example/x', 'shop', '308 Location: /evil.example/x'],
    [{ path: '/' }, '/old/\\\\evil.example', 'shop', '308 Location: /evil.example'],
    [{ host: 'new.example:81' }, '/old//a', 'shop:80', '308 Location: //new.example:81/old//a'],
    [{ scheme: 'https', status: 302 }, '/old/a', 'shop:8080', '302 Location: https://shop/old/a'],
    [{ scheme: 'https' }, 'http://[::1]:80/old', 'shop', '308 Location: https://[::1]/old'],
    [
      { scheme: 'http', host: 'x.example', path: '/n', status: 307 },
      '/old/',
      'shop',
      '307 Location: http://x.example/n/',
    ],
  ])('sends clients elsewhere: %j for %s', (redirect, path, host, expected) => {
    const router = table([{ match: { path: '/old' }, redirect }], 'all')
    expect(router.services).toEqual([])
    expect(routed(router, asking({ path, host }))).toBe(`${expected}\r\n`)
  })

  it('sends nobody to the host of a request that has none', () => {
    const router = table([{ match: {}, redirect: { scheme: 'https' } }])
    const { bytes, head } = headOf('GET / HTTP/1.0\r\n\r\n')
    expect(router.route(bytes, head, hop)).toMatchObject({ status: 400, code: 'bad_host' })
  })
})
