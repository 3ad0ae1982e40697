import { posix } from 'node:path'
import { diceFrom, type Route, seededRandom } from '@portolan/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Router } from '../router.ts'
import { headOf } from '../testing/heads.ts'

const hop = { peer: '192.0.2.7', trusted: false, scheme: 'http', forwarded: new Uint8Array() } as const

function routerOf(routes: readonly Route[]): (path: string, host?: string) => string {
  const router = new Router({ routes, exposed: 'all' }, diceFrom(seededRandom(5)))
  return (path, host = 'a') => {
    const { bytes, head } = headOf(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
    const found = router.route(bytes, head, hop)
    if (found === undefined) return 'nobody'
    return 'status' in found ? found.code : found.service.service
  }
}

const opened = routerOf([
  { match: { path: '/public' }, service: 'public', auth: 'none' },
  { match: {}, service: 'rest' },
])
const closed = routerOf([
  { match: { path: '/private' }, service: 'private' },
  { match: {}, service: 'rest' },
])

describe('a path that others read otherwise', () => {
  it.each([
    '/public/../private/s.txt',
    '/public/..',
    '/public/%2e%2e/private',
    '/public/.%2E/private',
    '/public/..%2fprivate',
    '/public%2f..%2Fprivate',
    '/public/..%5cprivate',
    '/public/..\\private',
    '/public/..;/private',
    '/public/..;x=y/private',
    '/public/..%3b/private',
    '/public/x/../../private',
    '/public/x//../../private',
    '/public/x/..//../private',
    '/public/x%2fy/../..%2fprivate',
    '/public/../public/x',
    'http://a/public/../private',
    '/public/..?x',
    '/public/..%3fx',
    '/public/..%23/private',
    '/public/x%00/y',
    '/public/x;y%2f..%2f..%2fprivate',
  ])('is refused where it leads out of its own route: %s', path => {
    expect(opened(path)).toBe('ambiguous_path')
  })

  it.each([
    '//private',
    '///private/x',
    '/./private',
    '/%2e/private',
    '/x/../private',
    '/../private',
    '/%70rivate',
    '/priv%61te',
    '/private;a',
    '/private;a/x',
    '/private%3ba',
    '/private%2fx',
    '/private%2Fx',
    '/private\\x',
    '/private%5Cx',
    '/;x/private',
    '/.;x/private',
    '/\\private',
    '//any.example/private',
    '/\\any.example\\private',
    '/x;p%2fy/private',
    '/%2fx/private',
    '/%5Cx%2fprivate',
    '/.//x/private',
    '/%2e/%2fx\\private',
    '/private%3fx',
    '/private%23',
    '/private%3fx/y',
    '/x//../private',
    'http://a//private',
  ])('is refused where it leads into another route: %s', path => {
    expect(closed(path)).toBe('ambiguous_path')
  })

  it.each([
    ['/public/a/../b', 'public'],
    ['/public/./b', 'public'],
    ['/public/', 'public'],
    ['/public//b', 'public'],
    ['/public/a%20b', 'public'],
    ['/public/a%2fb', 'public'],
    ['/public/a;v=1', 'public'],
    ['/public/a?b=/../../private;x', 'public'],
    ['/public/%', 'public'],
    ['/public/%zz', 'public'],
    ['/public/..x/...', 'public'],
    ['/public/%252e%252e/private', 'public'],
    ['/a/../b', 'rest'],
    ['/a//b', 'rest'],
    ['/%2fx/y', 'rest'],
    ['/what%3f/x', 'rest'],
    ['/public/what%3f', 'public'],
    ['/caf%C3%A9;x/a%2Fb', 'rest'],
    ['/publication/../b', 'rest'],
    ['/.well-known/x', 'rest'],
    ['*', 'rest'],
  ])('passes where that changes nothing: %s', (path, service) => {
    const method = path === '*' ? 'OPTIONS' : 'GET'
    const { bytes, head } = headOf(`${method} ${path} HTTP/1.1\r\nHost: a\r\n\r\n`)
    const router = new Router(
      {
        routes: [
          { match: { path: '/public' }, service: 'public' },
          { match: {}, service: 'rest' },
        ],
        exposed: [],
      },
      diceFrom(seededRandom(5)),
    )
    expect(router.route(bytes, head, hop)).toMatchObject({ service: { service } })
  })

  it('is nobody’s matter where no route asks for a path that the request might meet', () => {
    const plain = routerOf([{ match: { host: 'a' }, service: 'a' }])
    expect(plain('/x/..%2f../y;z')).toBe('a')
    const elsewhere = routerOf([
      { match: { host: 'b', path: '/private' }, service: 'b' },
      { match: {}, service: 'rest' },
      { match: { path: '/later' }, service: 'later' },
    ])
    expect(elsewhere('/x/..%2fprivate')).toBe('rest')
    expect(elsewhere('/%70rivate', 'b')).toBe('ambiguous_path')
  })

  it('is refused where only its Host would name the service', () => {
    const router = routerOf([{ match: { path: '/private' }, service: 'private' }])
    expect(router('//private', 'order.portolan')).toBe('ambiguous_path')
    expect(router('//other', 'order.portolan')).toBe('order')
  })

  it('does not get above what a route puts before it', () => {
    const router = routerOf([{ match: {}, service: 'a', rewrite: { path: '/tenant' } }])
    for (const path of ['/../other', '/x/../../other', '/..%2fother', '/..;/other', '/..'])
      expect(router(path), path).toBe('ambiguous_path')
    for (const path of ['/x/../y', '/x//y', '/%41', '/']) expect(router(path), path).toBe('a')
  })
})

/** What servers make of a path. */
const readers: Readonly<Record<string, (path: string) => string>> = {
  'as it is written': path => path,
  'RFC 3986': path => withoutDots(path.split('/')),
  'nginx: decoded, slashes merged': path => withoutDots(merged(decoded(path)).split('/')),
  'decoded, slashes kept': path => withoutDots(decoded(path).split('/')),
  'escaped slashes kept': path => withoutDots(decoded(path, '%2f').split('/')),
  'Tomcat: parameters off, then decoded': path =>
    withoutDots(merged(decoded(path.replaceAll(/;[^/]*/g, ''))).split('/')),
  'decoded, then parameters off': path =>
    withoutDots(
      decoded(path)
        .replaceAll(/;[^/]*/g, '')
        .split('/'),
    ),
  'backslashes are slashes': path => withoutDots(merged(decoded(path).replaceAll('\\', '/')).split('/')),
  'a URL of WHATWG': path => new URL(path, 'http://a').pathname,
  'a URL of WHATWG, decoded, as a file': path => posix.normalize(decoded(new URL(path, 'http://a').pathname)),
  'decoded, then a URL of WHATWG': path => {
    const text = decoded(path)
    return URL.canParse(text, 'http://a') ? new URL(text, 'http://a').pathname : path
  },
  'decoded, then without its query': path =>
    withoutDots((/^[^?#]*/.exec(decoded(path))?.[0] ?? '').split('/')),
  'as a file': path => posix.normalize(path),
  'decoded, as a file': path => posix.normalize(decoded(path)),
}

function withoutDots(segments: readonly string[]): string {
  const kept: string[] = []
  for (const segment of segments.slice(1)) {
    if (segment === '..') kept.pop()
    else if (segment !== '.') kept.push(segment)
  }
  return `/${kept.join('/')}`
}

function merged(path: string): string {
  return path.replaceAll(/\/+/g, '/')
}

function decoded(path: string, but = ''): string {
  return path.replaceAll(/%([0-9a-f]{2})/gi, (whole, hex) =>
    whole.toLowerCase() === but ? whole : String.fromCharCode(Number.parseInt(hex, 16)),
  )
}

const escaped = (char: string) =>
  fc.constantFrom(...Array(9).fill(char), `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
const word = (text: string) => fc.tuple(...[...text].map(escaped)).map(chars => chars.join(''))
const slash = fc.constantFrom(...Array(20).fill('/'), '//', '%2f', '%2F', '\\', '%5c')
const segment = fc.oneof(
  word('a'),
  word('b'),
  word('..'),
  fc.constantFrom('.', '%2e', '..', '', ';', 'c', 'c'),
)
const parameter = fc.constantFrom(...Array(20).fill(''), ';', ';x', '%3b', ';%2f', ';a', '%3f', '%23x')
const paths = fc
  .array(fc.tuple(slash, segment, parameter), { minLength: 1, maxLength: 7 })
  .map(parts => parts.flat().join(''))
  .map(path => (path.startsWith('/') ? path : `/${path}`))

describe('whatever a path is made of', () => {
  const table: readonly Route[] = [
    { match: { path: '/a/b' }, service: 'ab' },
    { match: { path: '/a' }, service: 'a' },
    { match: { path: '/b' }, service: 'b' },
    { match: {}, service: 'rest' },
  ]
  const route = routerOf(table)
  const plainly = (path: string): string =>
    table.find(({ match }) => match.path === undefined || `${path}/`.startsWith(`${match.path}/`))?.service ??
    ''

  it('it is refused, or every reader finds the same route', () => {
    const runs = 5000
    let passed = 0
    fc.assert(
      fc.property(paths, path => {
        const service = route(path)
        if (service === 'ambiguous_path') return
        passed++
        for (const [reader, read] of Object.entries(readers)) {
          let seen: string
          try {
            seen = read(path)
          } catch {
            // It refuses the path itself.
            continue
          }
          expect(plainly(seen), `${reader} reads ${seen}`).toBe(service)
        }
      }),
      { numRuns: runs },
    )
    expect(passed).toBeGreaterThan(runs / 10)
  })

  it('it is not refused where all read it alike and nothing is taken away', () => {
    const calm = fc
      .array(fc.constantFrom('/x', '/y;v=1', '/%20', '/c%C3%A9', '//z', '/.', '/w%2fw'), { minLength: 1 })
      .map(parts => `/a/b${parts.join('')}`)
    fc.assert(
      fc.property(calm, path => {
        expect(route(path)).toBe('ab')
      }),
    )
  })
})
