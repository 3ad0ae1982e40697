import { describe, expect, it } from 'vitest'
import { productSources, readText } from './sources.ts'

const sources = productSources()

const unique = (words: Iterable<string>): string[] => [...new Set(words)].sort()

function matches(text: string, pattern: RegExp): string[] {
  return unique([...text.matchAll(pattern)].map(match => match[1] ?? ''))
}

describe('documentation', () => {
  it('explains every error code, and none that is gone', () => {
    const union =
      /export type FaultCode =([\s\S]*?)\n\n/.exec(readText('packages/core/src/fault/fault.ts'))?.[1] ?? ''
    const codes = matches(union, /'([a-z_]+)'/g)
    expect(codes.length).toBeGreaterThan(10)
    expect(matches(readText('docs/errors.md'), /^## `([a-z_]+)`$/gm)).toEqual(codes)
  })

  it('has no error code that nobody throws', () => {
    const union =
      /export type FaultCode =([\s\S]*?)\n\n/.exec(readText('packages/core/src/fault/fault.ts'))?.[1] ?? ''
    const rest = sources.filter(({ path }) => !path.endsWith('fault/fault.ts')).map(({ text }) => text)
    const unused = matches(union, /'([a-z_]+)'/g).filter(
      code => code !== 'internal' && !rest.some(text => text.includes(`'${code}'`)),
    )
    expect(unused).toEqual([])
  })

  it('explains every metric, and none that is gone', () => {
    const named = unique(sources.flatMap(({ text }) => matches(text, /'(portolan_[a-z0-9_]+)'/g)))
    expect(named.length).toBeGreaterThan(5)
    expect(matches(readText('docs/metrics.md'), /^\| `(portolan_[a-z0-9_]+)` \|/gm)).toEqual(named)
  })

  it('explains every label of Prometheus targets, and none that is gone', () => {
    const labels = readText('packages/portolan/src/compat/prometheus/labels.ts')
    const named = matches(labels, /\b__meta_portolan_([a-z_]+?)(?:\b|_\$)/g)
    expect(named.length).toBeGreaterThan(10)
    const documented = matches(
      readText('docs/prometheus.md'),
      /^\| `__meta_portolan_([a-z_]+?)(?:_KEY)?` \|/gm,
    )
    expect(documented).toEqual(named)
  })

  it('shows only npm scripts that exist in README', () => {
    const scripts = Object.keys((JSON.parse(readText('package.json')) as { scripts: object }).scripts)
    const shown = matches(readText('README.md'), /npm (?:run )?(start|test|bench|[a-z]+:[a-z]+)/g)
    expect(shown.length).toBeGreaterThan(1)
    expect(shown.filter(name => !scripts.includes(name))).toEqual([])
  })

  it('links only to files that exist', async () => {
    const { existsSync } = await import('node:fs')
    const pages = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md']
    const links = pages.flatMap(page => matches(readText(page), /\]\((?!https?:|#)([^)#]+)/g))
    expect(links.length).toBeGreaterThan(3)
    expect(links.filter(link => !existsSync(new URL(`../../${link}`, import.meta.url)))).toEqual([])
  })
})
