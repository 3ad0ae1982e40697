import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { descendantWith } from '../peers/proxy/ours.ts'
import { end, firstLine, fromSource, root, start } from '../programs.ts'
import { type Bench, median, round } from '../row.ts'
import { healthyInstances, loopbackAddresses, openApp, pause } from './app.ts'
import { coresDuring } from './cpu.ts'

const instances = 200
const rate = Number(process.env.BENCH_RATE ?? 4000)
const rounds = Number(process.env.BENCH_ROUNDS ?? 8)
const seconds = Number(process.env.BENCH_SECONDS ?? 10)
// After a reload all checks are new and run at once; it takes a while until they are spread over their stretched interval.
const settleMs = 12_000
const apiPort = 19087
const gatewayPort = 19088
const adminPort = 19089
const appProcesses = 2

interface Window {
  readonly checker: number
  readonly apps: number
  readonly gateway: number
  readonly load: number
  readonly checksPerSecond: number
  readonly requestsPerSecond: number
  readonly bad: number
}

function configOf(ports: readonly number[], checks: boolean): string {
  const list = checks ? '[{ type: HTTP, path: /health, interval: 1s, timeout: 500ms }]' : '[]'
  const members = loopbackAddresses(instances, 43).map((host, i) => `"${host}:${ports[i % ports.length]}"`)
  return `
api: { listen: ["127.0.0.1:${apiPort}"] }
gateway:
  listen: 127.0.0.1:${gatewayPort}
  admin: 127.0.0.1:${adminPort}
  routes: [{ match: { path: / }, service: order }]
services:
  order: { healthChecks: ${list}, instances: [${members.join(', ')}] }
`
}

async function loadCounts(load: ChildProcess): Promise<{ answered: number; bad: number }> {
  load.kill('SIGUSR2')
  const [line] = await once(load.stdout ?? load, 'data')
  return JSON.parse(String(line)) as { answered: number; bad: number }
}

/**
 * What health checks add: (CPU of checker and checked programs with them - without) / without, for 200 instances with
 * an HTTP check at 1 s under 4,000 business requests/s through the gateway. On and off alternate in one run, by reload.
 */
export const healthCostRow: Bench = async say => {
  const apps = await Promise.all(Array.from({ length: appProcesses }, openApp))
  const ports = apps.map(({ port }) => port)
  const dir = mkdtempSync(join(tmpdir(), 'portolan-bench-'))
  const file = join(dir, 'portolan.yaml')
  writeFileSync(file, configOf(ports, false))
  const main = join(root, 'packages/portolan/src/cli/main.ts')
  const up = start(
    0,
    process.execPath,
    [...fromSource, main, 'up', '--roles', 'registry,gateway', '--config', file, '--data', join(dir, 'data')],
    {
      env: { ...process.env, PORTOLAN_LOG: 'error' },
    },
  )
  let load: ChildProcess | undefined
  const asked = async (): Promise<number> => {
    const counts = await Promise.all(apps.map(app => app.counts()))
    return counts.reduce((sum, { ours }) => sum + ours, 0)
  }
  try {
    await firstLine(up, line => (line.startsWith('ready') ? true : undefined), 60_000)
    await healthyInstances(`http://127.0.0.1:${apiPort}`, 'order', instances)
    const gateway = descendantWith(up.pid ?? 0, 'lb')
    const generator = join(root, 'bench/health/steady-load.ts')
    load = start(1, process.execPath, [...fromSource, generator, String(gatewayPort), String(rate)])
    const loading = load
    await firstLine(loading, line => (line === 'loading' ? true : undefined))
    const pids = {
      checker: [up.pid ?? 0],
      apps: apps.map(({ pid }) => pid),
      gateway: [gateway],
      load: [loading.pid ?? 0],
    }
    const measure = async (checks: boolean): Promise<Window> => {
      writeFileSync(file, configOf(ports, checks))
      up.kill('SIGHUP')
      await pause(settleMs)
      const [before, asksBefore] = [await loadCounts(loading), await asked()]
      const cores = await coresDuring(pids, () => pause(seconds * 1000))
      const [after, asksAfter] = [await loadCounts(loading), await asked()]
      const requestsPerSecond = (after.answered - before.answered) / seconds
      // A window that caught up with, or fell behind, a few requests is no dearer or cheaper for it.
      const fair = rate / requestsPerSecond
      return {
        checker: cores.checker,
        apps: cores.apps * fair,
        gateway: cores.gateway * fair,
        load: cores.load * fair,
        checksPerSecond: (asksAfter - asksBefore) / seconds,
        requestsPerSecond,
        bad: after.bad - before.bad,
      }
    }
    const [off, on]: [Window[], Window[]] = [[], []]
    for (let i = 0; i < rounds; i++) {
      for (const [windows, checks] of [
        [off, false],
        [on, true],
      ] as const) {
        const window = await measure(checks)
        windows.push(window)
        say(
          `round ${i + 1} of ${rounds}, ${checks ? 'with' : 'without'}: ${JSON.stringify(medians([window]))}`,
        )
      }
    }
    return rowOf(off, on)
  } finally {
    if (load !== undefined) await end(load)
    await end(up)
    await Promise.all(apps.map(app => app[Symbol.asyncDispose]()))
    rmSync(dir, { recursive: true, force: true })
  }
}

function of(windows: readonly Window[], key: keyof Window): number {
  return median(windows.map(window => window[key]))
}

function medians(windows: readonly Window[]): Readonly<Record<string, number>> {
  const keys = Object.keys(windows[0] ?? {}) as (keyof Window)[]
  return Object.fromEntries(keys.map(key => [key, round(of(windows, key), 4)]))
}

function rowOf(off: readonly Window[], on: readonly Window[]): Awaited<ReturnType<Bench>> {
  /** In units of what the load costs, which does the same with and without checks: some windows are slower than others. */
  const share = (
    keys: readonly (keyof Window)[],
    unit: (window: Window) => number = each => each.load,
  ): number => {
    const sum = (windows: readonly Window[]): number =>
      median(windows.map(window => keys.reduce((cores, key) => cores + window[key], 0) / unit(window)))
    return round(sum(on) / sum(off) - 1, 4)
  }
  if (of(off, 'checksPerSecond') > 1) throw new Error('checks went on where there are none')
  if (of(on, 'checksPerSecond') === 0) throw new Error('there were no checks')
  return {
    row: 'health.cost',
    value: share(['checker', 'apps']),
    unit: 'ratio',
    better: 'lower',
    detail: {
      atMost: 0.05,
      aim: 0.01,
      instances,
      appProcesses,
      rate,
      rounds,
      seconds,
      coresWithout: medians(off),
      coresWith: medians(on),
      checkerUsPerCheck: round(
        ((of(on, 'checker') - of(off, 'checker')) * 1e6) / of(on, 'checksPerSecond'),
        1,
      ),
      withGateway: share(['checker', 'apps', 'gateway']),
      inSeconds: share(['checker', 'apps'], () => 1),
    },
  }
}
