import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type OursOptions, openOurs } from './peers/proxy/ours.ts'
import { backendPorts, openPeers } from './peers/proxy/peers.ts'
import { type Sample, sample, type Target } from './proxy.ts'
import { type Bench, median, type Row, round } from './row.ts'

const rounds = Number(process.env.BENCH_ROUNDS ?? 5)
const connections = 32
const firstPort = 19100
const mostWarmUps = 5

/** The backends answer everything with 200: they are the hook that says yes and the receiver of spans, too. */
const anybody = `http://127.0.0.1:${backendPorts[0]}`

type Configured = Pick<OursOptions, 'gateway' | 'route' | 'service'>

/** What is configured for the filter, and nothing else. A limit is there to be looked at, never met. */
export const filters = (dir: string): Readonly<Record<string, Configured>> => ({
  none: {},
  'access-log, 1 in 100': { gateway: { accessLog: { sample: 0.01, path: join(dir, 'some.log') } } },
  'access-log, all': { gateway: { accessLog: { sample: 1, path: join(dir, 'all.log') } } },
  'trace, 1 in 100': { gateway: { tracing: { endpoint: anybody, sample: 0.01 } } },
  deadline: { service: { timeout: '5s' } },
  rewrite: { route: { rewrite: { path: '/v2' } } },
  'body-limit': { gateway: { maxBody: '1MiB' } },
  'rate-limit, service': { service: { rateLimit: { qps: 1e6 } } },
  'rate-limit, by client': { route: { rateLimit: { qps: 1e6, by: 'client' } } },
  'auth, kept 5 s': { service: { auth: { url: `${anybody}/check`, cacheFor: '5s' } } },
  'auth, asked each time': { service: { auth: { url: `${anybody}/check` } } },
  concurrency: { service: { concurrency: {} } },
  affinity: { service: { balancer: { affinity: { cookie: 'at' } } } },
  all: {
    gateway: {
      accessLog: { sample: 0.01, path: join(dir, 'together.log') },
      tracing: { endpoint: anybody, sample: 0.01 },
      maxBody: '1MiB',
    },
    route: { rewrite: { path: '/v2' }, rateLimit: { qps: 1e6, by: 'client' } },
    service: {
      timeout: '5s',
      rateLimit: { qps: 1e6 },
      auth: { url: `${anybody}/check`, cacheFor: '5s' },
      concurrency: {},
      balancer: { affinity: { cookie: 'at' } },
    },
  },
})

/**
 * What each filter costs: a gateway for each with that filter alone, one with none and one with all of them, asked in
 * turn with 32 connections. The row is the requests/s with all over those with none; `detail` has each filter's microseconds
 * of CPU time a request above the one with none, and its ratio.
 */
export const proxyFiltersRow: Bench = async say => {
  const dir = mkdtempSync(join(tmpdir(), 'portolan-bench-filters-'))
  const opened: AsyncDisposable[] = []
  try {
    opened.push(await openPeers())
    const targets: Target[] = []
    for (const [name, configured] of Object.entries(filters(dir))) {
      say(`opens a gateway: ${name}`)
      const ours = await openOurs({ ...configured, port: firstPort + 3 * targets.length })
      opened.push(ours)
      targets.push({ ...ours.target, name, fields: await cookieOf(ours.target.port) })
    }
    return rowOf(inTurn(targets, say))
  } finally {
    await Promise.all(opened.map(each => each[Symbol.asyncDispose]()))
    rmSync(dir, { recursive: true, force: true })
  }
}

/** A gateway that finds out by itself how many requests may be under way turns some away until it knows. */
function warmUp(target: Target): void {
  for (let tries = 0; tries < mostWarmUps && sample('small', target, connections).bad > 0; ) tries++
}

function inTurn(targets: readonly Target[], say: (progress: string) => void): Map<string, Sample[]> {
  for (const target of targets) {
    say(`warms up: ${target.name}`)
    warmUp(target)
  }
  const samples = new Map<string, Sample[]>(targets.map(({ name }) => [name, []]))
  for (let i = 0; i < rounds; i++) {
    for (const target of targets) {
      say(`round ${i + 1} of ${rounds}: ${target.name}`)
      samples.get(target.name)?.push(sample('small', target, connections))
    }
  }
  return samples
}

function rowOf(samples: ReadonlyMap<string, readonly Sample[]>): Row {
  const bare = samples.get('none') ?? []
  const costs = Object.fromEntries([...samples].map(([name, own]) => [name, cost(own, bare)]))
  const failed = [...samples].flatMap(([name, own]) => {
    const bad = own.reduce((sum, each) => sum + each.bad, 0)
    return bad === 0 ? [] : [`${bad} with ${name}`]
  })
  if (failed.length > 0) throw new Error(`requests failed: ${failed.join(', ')}: ${JSON.stringify(costs)}`)
  return {
    row: 'proxy.filters',
    value: costs.all?.ratio ?? Number.NaN,
    unit: 'ratio',
    better: 'higher',
    peer: 'none',
    detail: { connections, rounds, costs },
  }
}

/** The gateway's cookie, as a client that comes back has it; none where there is none. */
async function cookieOf(port: number): Promise<string[]> {
  const response = await fetch(`http://127.0.0.1:${port}/`)
  await response.text()
  return response.headers.getSetCookie().map(cookie => `Cookie: ${cookie.split(';')[0]}`)
}

interface Cost {
  readonly rps: number
  /** Over that without any filter, by rounds. */
  readonly ratio: number
  /** Of CPU time a request, and what of it is above that without any filter, by rounds. */
  readonly cpuUs: number
  readonly addedUs: number
}

function cost(samples: readonly Sample[], none: readonly Sample[]): Cost {
  const against = (of: (mine: Sample, bare: Sample) => number): number =>
    median(samples.map((mine, i) => of(mine, none[i] ?? mine)))
  return {
    rps: round(median(samples.map(({ rps }) => rps)), 0),
    ratio: round(against((mine, bare) => mine.rps / bare.rps)),
    cpuUs: round(median(samples.map(({ cpuUs }) => cpuUs)), 2),
    addedUs: round(
      against((mine, bare) => mine.cpuUs - bare.cpuUs),
      2,
    ),
  }
}
