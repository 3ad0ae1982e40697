import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { end, find, firstLine, fromSource, pinned, root, start } from '../programs.ts'
import { type Bench, median, round } from '../row.ts'
import { type Counts, healthyInstances, loopbackAddresses, openApp, pause } from './app.ts'
import { coresDuring } from './cpu.ts'

const servers = Number(process.env.BENCH_CHECKS ?? 5000)
const rounds = Number(process.env.BENCH_ROUNDS ?? 4)
const seconds = Number(process.env.BENCH_SECONDS ?? 10)
/** From waking a checker until its checks are spread again, and counted. */
const settleMs = 4000
/** For the first 15 s after its start a server leaves its time to those who come back. */
const startMs = 16_000
const apiPort = 19086

interface Window {
  readonly cores: number
  readonly checksPerSecond: number
  readonly usPerCheck: number
}

const portolanConfig = (port: number): string => `
api: { listen: ["127.0.0.1:${apiPort}"] }
services:
  checked:
    healthChecks: [{ type: HTTP, path: /health, interval: 1s, timeout: 500ms }]
    instances: [${loopbackAddresses(servers, 41)
      .map(host => `"${host}:${port}"`)
      .join(', ')}]
`

const haproxyConfig = (port: number): string => `
global
  nbthread 1
  maxconn 4000
  spread-checks 50
defaults
  mode http
  timeout connect 500ms
  timeout client 5s
  timeout server 5s
  timeout check 500ms
frontend nobody
  bind 127.0.0.1:19090
  default_backend checked
backend checked
  option httpchk
  http-check send meth GET uri /health ver HTTP/1.1 hdr Host checked
  http-check expect status 200
  default-server inter 1s
${loopbackAddresses(servers, 42)
  .map((host, i) => `  server s${i + 1} ${host}:${port} check`)
  .join('\n')}
`

/** One window in which this checker alone runs, and the other is stopped. */
async function measure(
  awake: ChildProcess,
  asleep: ChildProcess,
  counts: () => Promise<Counts>,
  key: 'ours' | 'others',
): Promise<Window> {
  asleep.kill('SIGSTOP')
  awake.kill('SIGCONT')
  await pause(settleMs)
  const before = await counts()
  const { checker } = await coresDuring({ checker: [awake.pid ?? 0] }, () => pause(seconds * 1000))
  const checks = (await counts())[key] - before[key]
  if (checks === 0) throw new Error(`no checks by ${key} in ${seconds} s`)
  return {
    cores: checker,
    checksPerSecond: checks / seconds,
    usPerCheck: (checker * seconds * 1e6) / checks,
  }
}

function summary(windows: readonly Window[]) {
  const of = (key: keyof Window) => median(windows.map(window => window[key]))
  return {
    cores: round(of('cores')),
    checksPerSecond: round(of('checksPerSecond'), 0),
    usPerCheck: round(of('usPerCheck'), 1),
  }
}

/**
 * CPU per HTTP check of 5,000 servers at 1 s: our registry over HAProxy, each alone in its windows on the same
 * processor; the checked servers are on the other. The checks are counted where they arrive.
 */
export const healthChecksRow: Bench = async say => {
  await using app = await openApp()
  const dir = mkdtempSync(join(tmpdir(), 'portolan-bench-'))
  const file = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text)
    return join(dir, name)
  }
  const main = join(root, 'packages/portolan/src/cli/main.ts')
  const config = file('portolan.yaml', portolanConfig(app.port))
  const options = ['--config', config, '--data', join(dir, 'data'), '--roles', 'registry']
  const ours = start(0, process.execPath, [...fromSource, main, 'up', ...options], {
    env: { ...process.env, PORTOLAN_LOG: 'error' },
  })
  const [command, args] = pinned(0, find('haproxy'), [
    '-q',
    '-f',
    file('haproxy.cfg', haproxyConfig(app.port)),
  ])
  let haproxy: ChildProcess | undefined
  try {
    await firstLine(ours, line => (line.startsWith('ready') ? true : undefined), 120_000)
    say(`until all ${servers} have passed`)
    await healthyInstances(`http://127.0.0.1:${apiPort}`, 'checked', servers)
    await pause(startMs)
    ours.kill('SIGSTOP')
    haproxy = spawn(command, args, { stdio: 'ignore' })
    await pause(settleMs)
    const windows = { portolan: [] as Window[], haproxy: [] as Window[] }
    for (let i = 0; i < rounds; i++) {
      say(`round ${i + 1} of ${rounds}`)
      windows.haproxy.push(await measure(haproxy, ours, app.counts, 'others'))
      windows.portolan.push(await measure(ours, haproxy, app.counts, 'ours'))
    }
    const results = { portolan: summary(windows.portolan), haproxy: summary(windows.haproxy) }
    return {
      row: 'health.checks',
      value: round(results.portolan.usPerCheck / results.haproxy.usPerCheck),
      unit: 'ratio',
      better: 'lower',
      peer: 'haproxy',
      detail: { servers, intervalSeconds: 1, rounds, seconds, results, portolanKeepsConnections: true },
    }
  } finally {
    ours.kill('SIGCONT')
    haproxy?.kill('SIGCONT')
    await Promise.all([end(ours), haproxy === undefined ? undefined : end(haproxy)])
    rmSync(dir, { recursive: true, force: true })
  }
}
