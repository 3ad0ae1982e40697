import type { Route, RouteTable } from '@portolan/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Router } from './router.ts'
import { headOf } from './testing/heads.ts'

interface Asked {
  readonly method: string
  readonly host: string
  readonly path: string
  readonly fields: readonly (readonly [string, string])[]
}

function routed(router: Router, { method, host, path, fields }: Asked): string | undefined {
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const { bytes, head } = headOf(`${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n${lines}\r\n`)
  const service = router.route(bytes, head)?.service
  return service === undefined ? undefined : `${service.namespace}/${service.service}`
}

const asking = (part: Partial<Asked>): Asked => ({ method: 'GET', host: 'x', path: '/', fields: [], ...part })
const table = (routes: readonly Route[], exposed: RouteTable['exposed'] = []): Router =>
  new Router({ routes, exposed })

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
})
