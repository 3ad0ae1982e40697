import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { start } from '../../programs.ts'
import { median, quantile, round } from '../../row.ts'
import { cpuUs, type DnsTarget } from './target.ts'

const clients = 8
const outstanding = 100

/** What a server did when it was asked as fast as it answers. */
export interface Throughput {
  readonly qps: number
  /** A query, of the server's. */
  readonly cpuUs: number
  readonly lost: number
  readonly notNoError: number
}

export interface Latency {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  readonly queries: number
  readonly lost: number
  readonly notNoError: number
}

/** dnsperf on the second processor, without keeping this process from its own work. Returns what it printed. */
async function dnsperf(target: DnsTarget, seconds: number, more: readonly string[] = []): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'portolan-dnsperf-'))
  const file = join(directory, 'out')
  const output = openSync(file, 'w')
  try {
    const load = [`-l${seconds}`, `-c${clients}`, `-q${outstanding}`, ...more]
    const args = ['-s', '127.0.0.1', '-p', String(target.port), '-d', target.queries, ...load]
    const child = start(1, 'dnsperf', args, { stdio: ['ignore', output, 'ignore'] })
    const [code] = await once(child, 'exit')
    const text = readFileSync(file, 'utf8')
    if (code !== 0) throw new Error(`dnsperf ${args.join(' ')}: exit ${code}: ${text.slice(-500)}`)
    return text
  } finally {
    closeSync(output)
    rmSync(directory, { recursive: true, force: true })
  }
}

function counted(text: string) {
  const figure = (line: RegExp): number => Number(line.exec(text)?.[1] ?? Number.NaN)
  const completed = figure(/Queries completed:\s+(\d+)/)
  const noError = Number(/Response codes:.*?NOERROR (\d+)/.exec(text)?.[1] ?? 0)
  return {
    completed,
    qps: figure(/Queries per second:\s+([\d.]+)/),
    lost: figure(/Queries lost:\s+(\d+)/),
    notNoError: completed - noError,
  }
}

export async function throughput(target: DnsTarget, seconds: number): Promise<Throughput> {
  const before = cpuUs(target.pids)
  const { completed, qps, lost, notNoError } = counted(await dnsperf(target, seconds))
  return { qps, cpuUs: (cpuUs(target.pids) - before) / Math.max(completed, 1), lost, notNoError }
}

/** At so many queries a second: how long each answer took, from question to answer as dnsperf saw it. */
export async function latency(target: DnsTarget, rate: number, seconds: number): Promise<Latency> {
  const text = await dnsperf(target, seconds, [`-Q${Math.round(rate)}`, '-v'])
  const ms = [...text.matchAll(/^> .* (\d+\.\d+)$/gm)].map(([, took]) => Number(took) * 1000)
  const { lost, notNoError } = counted(text)
  return {
    p50Ms: quantile(ms, 0.5),
    p99Ms: quantile(ms, 0.99),
    maxMs: ms.reduce((most, each) => Math.max(most, each), 0),
    queries: ms.length,
    lost,
    notNoError,
  }
}

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0)

export function throughputs(all: readonly Throughput[]): Throughput {
  return {
    qps: round(median(all.map(({ qps }) => qps)), 0),
    cpuUs: round(median(all.map(each => each.cpuUs)), 2),
    lost: total(all.map(({ lost }) => lost)),
    notNoError: total(all.map(({ notNoError }) => notNoError)),
  }
}

export function latencies(all: readonly Latency[]): Latency {
  return {
    p50Ms: round(median(all.map(({ p50Ms }) => p50Ms))),
    p99Ms: round(median(all.map(({ p99Ms }) => p99Ms))),
    maxMs: round(Math.max(...all.map(({ maxMs }) => maxMs))),
    queries: total(all.map(({ queries }) => queries)),
    lost: total(all.map(({ lost }) => lost)),
    notNoError: total(all.map(({ notNoError }) => notNoError)),
  }
}
