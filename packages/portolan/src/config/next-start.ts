import { isDeepStrictEqual } from 'node:util'
import type { Config } from './schema.ts'

/**
 * The keys that a running server reads at its start alone, sections whole. All others take effect as soon as the file
 * is loaded again. docs/configuration.md names the same, which a test sees to.
 */
export const nextStartKeys = [
  'api',
  'auth.anonymous',
  'data',
  'dns',
  'gateway.listen',
  'gateway.admin',
  'gateway.zone',
  'registry.lease',
] as const

/** What `next` says otherwise than the server was started with, and has to wait for its next start: `api.names`. */
export function atNextStart(started: Config, next: Config): readonly string[] {
  return nextStartKeys.flatMap(key => {
    const [now, then] = [started, next].map(config => valueAt(config, key))
    if (isDeepStrictEqual(now, then)) return []
    // Of a section, the keys in it.
    return key.includes('.') || !isMap(now) || !isMap(then) ? [key] : differing(now, then, key)
  })
}

/** As a sentence: `gateway.listen and gateway.admin take effect at the next start`. */
export function tellNextStart(keys: readonly string[]): string {
  const most = keys.slice(0, -1).join(', ')
  const all = most === '' ? keys.join() : `${most} and ${keys.at(-1)}`
  return `${all} ${keys.length === 1 ? 'takes' : 'take'} effect at the next start`
}

/** What a reload came to. */
export function tellReload(waiting: readonly string[]): string {
  const rest = waiting.length === 0 ? '' : `; ${tellNextStart(waiting)}`
  return `the configuration was loaded again${rest}`
}

type Values = Readonly<Record<string, unknown>>

const isMap = (value: unknown): value is Values => typeof value === 'object' && value !== null

function valueAt(config: Config, key: string): unknown {
  return key.split('.').reduce<unknown>((value, step) => (isMap(value) ? value[step] : undefined), config)
}

function differing(now: Values, then: Values, section: string): readonly string[] {
  const names = new Set([...Object.keys(now), ...Object.keys(then)])
  return [...names]
    .filter(name => !isDeepStrictEqual(now[name], then[name]))
    .map(name => `${section}.${name}`)
}
