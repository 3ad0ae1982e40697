import type { RouteMatch } from '@portolan/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { coveringRoutes } from './covered.ts'
import { readConfig } from './load.ts'
import { formatProblem } from './problem.ts'
import { configJsonSchema } from './reference.ts'
import { urlPath } from './sections/url-path.ts'

/** What `portolan check` says of it. */
function said(text: string): string {
  const found = readConfig(text, 'portolan.yaml')
  return (found.ok ? found.loaded.warnings : found.problems).map(formatProblem).join('\n')
}

const routes = (...lines: readonly string[]): string =>
  `gateway:\n  routes:\n${lines.map(line => `    - ${line}\n`).join('')}services: { order: {}, n/cart: {} }\n`

describe('routes to services of which the file says nothing', () => {
  it('are warned of once each, with what may have been meant', () => {
    expect(
      said(
        routes(
          '{ match: { path: /a }, service: ordr }',
          '{ match: { path: /b }, split: [{ service: order, weight: 1 }, { service: cart, weight: 1 }] }',
          '{ match: { path: /c }, service: ordr }',
        ),
      ),
    ).toMatchInlineSnapshot(`
      "portolan.yaml:3:39: gateway.routes[0].service: no service of this file is called "ordr": it has no instances but those that register themselves
          did you mean "order"? if they do, \`ordr: {}\` under services says so
      portolan.yaml:4:80: gateway.routes[1].split[1].service: no service of this file is called "cart": it has no instances but those that register themselves
          if they do, \`cart: {}\` under services says so"
    `)
  })

  it('are fine where the file names the service, whatever it says of it', () => {
    expect(
      said(
        routes(
          '{ match: { path: /a }, service: order }',
          '{ match: { path: /b }, service: cart, namespace: n }',
        ),
      ),
    ).toBe('')
  })
})

describe('routes that no request takes', () => {
  it('are named, with the one that takes all of theirs', () => {
    expect(
      said(routes('{ service: order }', '{ match: { path: /admin }, service: order, auth: none }')),
    ).toMatchInlineSnapshot(`
      "portolan.yaml:4:7: gateway.routes[1]: no request comes here: the route of portolan.yaml:3 takes all that this one asks for
          put it before that one, ask for more there, or leave it out"
    `)
  })

  const covers: readonly (readonly [first: RouteMatch, second: RouteMatch])[] = [
    [{}, {}],
    [{ path: '/' }, { host: 'a.example', method: 'GET' }],
    [{ path: '/a' }, { path: '/a/b' }],
    [{ path: '/a' }, { path: '/a/' }],
    [{ path: '/a/' }, { path: '/a/b/c' }],
    [{ host: 'A.example.' }, { host: 'a.example', path: '/x' }],
    [{ host: '*.example' }, { host: 'a.b.example' }],
    [{ host: '*.example' }, { host: '*.b.example' }],
    [{ headers: { 'X-A': '1' } }, { headers: { 'x-a': '1', 'x-b': '2' } }],
    [{ method: 'GET' }, { method: 'GET', path: '/x' }],
  ]
  const leaves: readonly (readonly [first: RouteMatch, second: RouteMatch])[] = [
    [{ path: '/a/' }, { path: '/a' }],
    [{ path: '/a' }, { path: '/ab' }],
    [{ path: '/a' }, {}],
    [{ host: '*.example' }, { host: 'example' }],
    [{ host: '*.b.example' }, { host: '*.example' }],
    [{ host: 'a.example' }, {}],
    [{ host: 'a.example' }, { host: '*.example' }],
    [{ headers: { 'x-a': '1' } }, { headers: { 'x-a': '2' } }],
    [{ headers: { 'x-a': '1' } }, {}],
    [{ method: 'GET' }, { method: 'HEAD' }],
  ]

  it.each(covers)('%j leaves nothing to %j', (first, second) => {
    expect(coveringRoutes([first, second])).toEqual(new Map([[1, 0]]))
  })

  it.each(leaves)('%j leaves something to %j', (first, second) => {
    expect(coveringRoutes([first, second]).size).toBe(0)
  })

  it('of a large file are found in a moment', () => {
    const deep = `/x${'/y'.repeat(500)}`
    const many = Array.from({ length: 3000 }, (_, n) => ({ path: `${deep}/${n}`, headers: { x: `${n}` } }))
    const from = performance.now()
    expect(coveringRoutes([...many, { path: '/' }, { path: '/late' }])).toEqual(new Map([[3001, 3000]]))
    expect(performance.now() - from).toBeLessThan(5000)
  })
})

describe('match.path', () => {
  it.each(['/', '/a/b', '/a%20b', "/;a=1/~!$&'()*+,:@"])('may be %s', path => {
    expect(said(routes(`{ match: { path: ${JSON.stringify(path)} }, service: order }`))).toBe('')
  })

  it.each([
    ['a', 'a path begins with "/"'],
    ['/x?y', '%3F'],
    ['/x#y', '%23'],
    ['/%zz', '"%zz" is no escape\n    write %25'],
    ['/a%', '"%" is no escape'],
    ['/é b', 'escape it: /%C3%A9%20b'],
    ['/💥', 'escape it: /%F0%9F%92%A5'],
  ])('is refused as %s, and so are rewrite.path and redirect.path', (path, words) => {
    const text = JSON.stringify(path)
    for (const route of [
      `{ match: { path: ${text} }, service: order }`,
      `{ rewrite: { path: ${text} }, service: order }`,
      `{ redirect: { path: ${text} } }`,
    ]) {
      expect(said(routes(route))).toContain(words)
    }
  })

  it('has a pattern in the JSON Schema that refuses the same', () => {
    const { properties } = configJsonSchema()
    const match = properties?.gateway?.properties?.routes?.items?.properties?.match
    const { pattern = '' } = (match?.properties?.path ?? {}) as { readonly pattern?: string }
    const piece = fc.constantFrom('/', 'a', '%', '%4', '%41', '?', '#', '~', ' ', 'é', '"', '&')
    fc.assert(
      fc.property(fc.array(piece), pieces => {
        const path = pieces.join('')
        expect(new RegExp(pattern).test(path)).toBe(urlPath.safeParse(path).success)
      }),
    )
  })
})

it('a negative weight is told apart from one that is no number', () => {
  const weighing = (weight: string): string =>
    said(
      routes(
        `{ split: [{ service: order, weight: ${weight} }, { service: order, namespace: n, weight: 1 }] }`,
      ),
    )
  expect(weighing('-1')).toContain('a weight is at least 0')
  expect(weighing('5%')).toContain('no percent sign')
  expect(weighing('1.5')).toContain('a weight is a whole number')
})
