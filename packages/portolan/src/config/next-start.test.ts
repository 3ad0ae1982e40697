import { describe, expect, it } from 'vitest'
import { type LoadedConfig, readConfig } from './load.ts'
import { atNextStart, nextStartKeys, tellNextStart } from './next-start.ts'
import { formatProblem } from './problem.ts'
import { referenceRows } from './reference.ts'

function load(text: string): LoadedConfig {
  const reading = readConfig(text, 'portolan.yaml')
  if (!reading.ok) throw new Error(reading.problems.map(formatProblem).join('\n'))
  return reading.loaded
}

const between = (before: string, after: string): readonly string[] =>
  atNextStart(load(before).config, load(after).config)

describe('a file that is loaded again', () => {
  it('has no key that waits when nothing, or what takes effect at once, has changed', () => {
    const text = 'api: { listen: 127.0.0.1:1 }\n'
    expect(between(text, text)).toEqual([])
    expect(between(text, `${text}services: { a: {} }\ngateway: { maxBody: 1KiB }\n`)).toEqual([])
  })

  it.each([
    ['api: { listen: 127.0.0.1:1 }', 'api.listen'],
    ['api: { names: [x], insecure: true }', 'api.names', 'api.insecure'],
    ['api: { tls: { cert: a, key: b } }', 'api.tls'],
    ['auth: { anonymous: none }', 'auth.anonymous'],
    ['data: x', 'data'],
    ['gateway: { listen: 127.0.0.1:1, admin: 127.0.0.1:2 }', 'gateway.listen', 'gateway.admin'],
    ['gateway: { zone: a }', 'gateway.zone'],
    ['registry: { lease: 3s }', 'registry.lease'],
  ])('names what waits: %s', (text, ...keys) => {
    expect(new Set(between('', text))).toEqual(new Set(keys))
    expect(new Set(between(text, ''))).toEqual(new Set(keys))
  })

  it('says so in a sentence', () => {
    expect(tellNextStart(['data'])).toBe('data takes effect at the next start')
    expect(tellNextStart(['a', 'b', 'c'])).toBe('a, b and c take effect at the next start')
  })

  it('names keys that there are', () => {
    const keys = referenceRows().map(({ key }) => key)
    for (const key of nextStartKeys) expect(keys).toContain(key)
  })
})
