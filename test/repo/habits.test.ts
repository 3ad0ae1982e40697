import { describe, expect, it } from 'vitest'
import { filesBelow, productSources, readSource, readText } from './sources.ts'

const sources = productSources()
const everyTypeScript = ['packages', 'test', 'bench', 'examples']
  .flatMap(filesBelow)
  .filter(path => path.endsWith('.ts'))

/** Lines of code that match, as `path:line`; comments do not count. */
function places(pattern: RegExp, files = sources): string[] {
  return files.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, index) => {
      const code = line.replace(/^\s*(\*|\/\*|\/\/).*$/, '').replace(/\s\/\/ .*$/, '')
      return pattern.test(code) ? [`${path}:${index + 1}`] : []
    }),
  )
}

const inside = (...folders: string[]) => {
  return (place: string): boolean => !folders.some(folder => place.startsWith(`packages/${folder}`))
}

describe('habits', () => {
  it('keeps every file below 500 lines', () => {
    expect(everyTypeScript.filter(path => readText(path).split('\n').length > 500)).toEqual([])
  })

  it('has no junk drawer', () => {
    const drawer = /(^|\/)(utils?|helpers?|common|types|misc)(\/|\.ts$|-)/
    expect(everyTypeScript.filter(path => drawer.test(path))).toEqual([])
  })

  it('inherits from Error only', () => {
    expect(places(/\bclass\s+\w+(?:<.*>)?\s+extends\s+(?!Error\b)/)).toEqual([])
  })

  it('reads no clock, throws no dice and opens no socket in core', () => {
    const core = sources.filter(({ path }) => path.startsWith('packages/core/'))
    expect(
      places(/Date\.now|new Date\(\)|Math\.random|setTimeout|setInterval|performance\.|process\./, core),
    ).toEqual([])
  })

  it('throws dice only where they are handed in', () => {
    const rims = inside(
      'portolan/src/server.ts',
      'portolan/src/lb.ts',
      'portolan/src/dns.ts',
      'portolan/src/cli',
      'client/src/connect.ts',
    )
    expect(places(/Math\.random/).filter(rims)).toEqual([])
  })

  it('opens sockets only at the rim', () => {
    const opens = sources.filter(({ imports }) =>
      imports.some(
        name => /^node:(net|tls|http|https|http2|dgram)$/.test(name) || name === 'ws' || name === 'undici',
      ),
    )
    const rims = inside(
      'client/',
      'portolan/src/api/',
      'portolan/src/dns/',
      'portolan/src/proxy/',
      'portolan/src/health/probes/',
      'portolan/src/workloads/',
      'portolan/src/cli/',
    )
    expect(opens.map(({ path }) => path).filter(rims)).toEqual([])
  })

  it('runs no command through a shell', () => {
    expect(places(/\bexecSync\(|\bexec\(['"`]|shell:\s*true/)).toEqual([])
  })

  it('has a test or a suite beside every policy', () => {
    const policies = filesBelow('packages/core/src/balance').filter(path =>
      /\/(adaptive|forecast-weighted|least-request|maglev|peak-ewma|random|ring-hash|round-robin)\.ts$/.test(
        path,
      ),
    )
    expect(policies.length).toBe(8)
    const untested = policies.filter(
      path => !filesBelow('packages/core/src/balance').includes(path.replace('.ts', '.test.ts')),
    )
    expect(untested).toEqual([])
  })

  it('sees what it looks for', () => {
    expect(readSource('test/repo/habits.test.ts').imports).toContain('vitest')
  })
})
