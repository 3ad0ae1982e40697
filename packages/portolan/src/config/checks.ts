import { existsSync } from 'node:fs'
import { delimiter, isAbsolute, resolve } from 'node:path'
import { type Check, checkDefaults, type Degradation } from '@portolan/core'
import type { CheckSettings } from './sections/health-checks.ts'

/** Checks as they were written, with all that they left unsaid. Programs are found from `folder`. */
export function coreChecks(settings: readonly CheckSettings[], folder: string): readonly Check[] {
  const ids = idsOf(settings)
  return settings.map((check, index) => coreCheck(check, ids[index] ?? check.type, folder))
}

/** The given ids; of the others, each the first that is free of `http`, `http-2`, `http-3` … */
function idsOf(settings: readonly CheckSettings[]): readonly string[] {
  const taken = new Set(settings.flatMap(({ id, name }) => id ?? name ?? []))
  return settings.map(({ id, name, type }) => {
    const given = id ?? name
    if (given !== undefined) return given
    let made: string = type
    for (let number = 2; taken.has(made); number++) made = `${type}-${number}`
    taken.add(made)
    return made
  })
}

function coreCheck(check: CheckSettings, id: string, folder: string): Check {
  const base = { id, ...timesOf(check), rise: riseOf(check), ...degradedOf(check) }
  const aimed = check.port === undefined ? {} : { port: check.port }
  const secured = {
    ...(check.tls === undefined ? {} : { tls: check.tls }),
    ...(check.verify === undefined ? {} : { verify: check.verify }),
  }
  switch (check.type) {
    case 'tcp':
      return { type: 'tcp', ...base, ...aimed }
    case 'http': {
      const { method = 'GET', path = '/', headers = {}, expect } = check
      const statuses = expect?.status ?? [[200, 299] as const]
      const body = expect?.body === undefined ? {} : { body: expect.body }
      return { type: 'http', ...base, ...aimed, method, path, headers, statuses, ...body, ...secured }
    }
    case 'grpc':
      return { type: 'grpc', ...base, ...aimed, service: check.service ?? '', ...secured }
    case 'script':
      return { type: 'script', ...base, command: commandOf(check, folder) }
    case 'ttl':
      return { type: 'ttl', ...base }
  }
}

function riseOf({ type, rise }: CheckSettings): number {
  return rise ?? (type === 'ttl' ? checkDefaults.ttlRise : checkDefaults.rise)
}

function timesOf({ type, interval = checkDefaults.intervalMs, timeout }: CheckSettings) {
  const usual = type === 'script' ? checkDefaults.scriptTimeoutMs : checkDefaults.timeoutMs
  return { intervalMs: interval, timeoutMs: timeout ?? Math.min(usual, Math.floor(interval / 2)) }
}

function degradedOf({ degraded }: CheckSettings): { degraded?: Degradation } {
  if (degraded === undefined) return {}
  const { latency, metric, above, weight } = degraded
  return {
    degraded: {
      ...(latency === undefined ? {} : { latencyMs: latency }),
      ...(metric === undefined || above === undefined ? {} : { metric: { name: metric, above } }),
      weight,
    },
  }
}

/** A script stands in the file's folder; a command's program there too if it has a slash in it, else on the PATH. */
export function commandOf({ script, command = [] }: CheckSettings, folder: string): [string, ...string[]] {
  if (script !== undefined) return [resolve(folder, script)]
  const [program = '', ...args] = command
  return [program.includes('/') ? resolve(folder, program) : (onPath(program) ?? program), ...args]
}

function onPath(program: string): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter(isAbsolute)
    .map(place => resolve(place, program))
    .find(existsSync)
}
