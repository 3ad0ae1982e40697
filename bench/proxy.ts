import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { openOurs } from './peers/proxy/ours.ts'
import { openPeers } from './peers/proxy/peers.ts'
import { runPinned } from './programs.ts'
import { type Bench, median, round } from './row.ts'

export type ProxyCase = 'small' | 'headers' | '16k' | 'post' | 'churn'

export interface Target {
  readonly name: string
  readonly port: number
  /** Every process whose CPU time goes into the proxied traffic. */
  readonly pids: readonly number[]
  /** Header fields that requests have besides: `Name: value`. */
  readonly fields?: readonly string[]
}

export interface Sample {
  readonly rps: number
  readonly cpuUs: number
  readonly p99Ms: number
  readonly bad: number
}

const rounds = Number(process.env.BENCH_ROUNDS ?? 5)
const seconds = Number(process.env.BENCH_SECONDS ?? 3)
const connections = (process.env.BENCH_CONNECTIONS ?? '32,256').split(',').map(Number)
const ticksPerSecond = 100

const script = (name: string): string => fileURLToPath(new URL(`./peers/proxy/${name}.lua`, import.meta.url))

function wrk(what: ProxyCase, { port, fields = [] }: Target, open: number, duration: number): string {
  const extra = fields.flatMap(field => ['-H', field])
  const lua = ['headers', 'post', 'churn'].includes(what) ? ['-s', script(what)] : []
  const url = `http://127.0.0.1:${port}${what === '16k' ? '/16k' : '/'}`
  return runPinned(1, 'wrk', ['-t1', `-c${open}`, `-d${duration}s`, '--latency', ...lua, ...extra, url])
}

/** Clock ticks of user and system time that these processes have used. */
function cpuTicks(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
    return sum + Number(fields[11]) + Number(fields[12])
  }, 0)
}

export function sample(what: ProxyCase, target: Target, open: number): Sample {
  wrk(what, target, open, 1)
  const before = cpuTicks(target.pids)
  const text = wrk(what, target, open, seconds)
  const ticks = cpuTicks(target.pids) - before
  const requests = Number(/(\d+) requests in/.exec(text)?.[1])
  const [, p99, unit] = /99%\s+([\d.]+)(us|ms|s)/.exec(text) ?? []
  const errors = /connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text)?.slice(1) ?? []
  const bad = [/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0, ...errors]
  return {
    rps: Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]),
    cpuUs: (ticks * 1e6) / ticksPerSecond / Math.max(requests, 1),
    p99Ms: Number(p99) * (unit === 'us' ? 1e-3 : unit === 's' ? 1e3 : 1),
    bad: bad.reduce<number>((sum, count) => sum + Number(count), 0),
  }
}

function summary(samples: readonly Sample[]): Sample {
  return {
    rps: round(median(samples.map(s => s.rps)), 0),
    cpuUs: round(median(samples.map(s => s.cpuUs)), 2),
    p99Ms: round(median(samples.map(s => s.p99Ms)), 2),
    bad: samples.reduce((sum, s) => sum + s.bad, 0),
  }
}

/** At least, and aim. */
const limits = (what: ProxyCase): readonly [number, number] => (what === 'churn' ? [0.5, 0.7] : [0.7, 0.9])

/**
 * Requests/s of our gateway on one core over those of the better of nginx and HAProxy (one worker each) on the same
 * core, in interleaved rounds; load generator and backend share the other core. Metrics on, access logs off. With 32
 * and with 256 connections: the worse ratio counts.
 */
export function proxyRow(what: ProxyCase): Bench {
  return async say => {
    await using peers = await openPeers()
    await using ours = await openOurs()
    const targets: Target[] = [...peers.targets, ours.target]
    const compared = connections.map(open => compare(what, targets, open, say))
    const worst = compared.reduce((least, each) => (each.ratio < least.ratio ? each : least))
    const [atLeast, aim] = limits(what)
    return {
      row: `proxy.${what}`,
      value: round(worst.ratio),
      unit: 'ratio',
      better: 'higher',
      peer: worst.best,
      detail: { atLeast, aim, rounds, seconds, compared },
    }
  }
}

interface Compared {
  readonly connections: number
  readonly best: string
  readonly ratio: number
  readonly results: Readonly<Record<string, Sample>>
}

function compare(
  what: ProxyCase,
  targets: readonly Target[],
  open: number,
  say: (progress: string) => void,
): Compared {
  const samples = new Map<string, Sample[]>(targets.map(target => [target.name, []]))
  for (let i = 0; i < rounds; i++) {
    for (const target of targets) {
      say(`${open} connections, round ${i + 1} of ${rounds}: ${target.name}`)
      samples.get(target.name)?.push(sample(what, target, open))
    }
  }
  const results = Object.fromEntries([...samples].map(([name, all]) => [name, summary(all)]))
  const best = (results.nginx?.rps ?? 0) > (results.haproxy?.rps ?? 0) ? 'nginx' : 'haproxy'
  const ratio = (results.portolan?.rps ?? Number.NaN) / (results[best]?.rps ?? Number.NaN)
  if (!Number.isFinite(ratio)) throw new Error(`no figure: ${JSON.stringify(results)}`)
  return { connections: open, best, ratio: round(ratio), results }
}
