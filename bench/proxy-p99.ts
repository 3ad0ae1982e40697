import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openOurs } from './peers/proxy/ours.ts'
import { openPeers } from './peers/proxy/peers.ts'
import { runPinned } from './programs.ts'
import { sample, type Target } from './proxy.ts'
import { type Bench, median, quantile, round } from './row.ts'

const rounds = Number(process.env.BENCH_ROUNDS ?? 5)
const seconds = Number(process.env.BENCH_SECONDS ?? 5)
const connections = 32
/** Of what nginx can do. */
const load = 0.7

export interface Times {
  readonly p50: number
  readonly p99: number
  readonly requests: number
  readonly bad: number
}

/**
 * Our gateway's p99 over the better one's of nginx and HAProxy, all at the same rate: 70 % of what nginx can do, each
 * connection's requests at even distances (`h2load --h1 --rps`), in interleaved rounds on one core.
 */
export const proxyP99Row: Bench = async say => {
  await using peers = await openPeers()
  await using ours = await openOurs()
  const directory = mkdtempSync(join(tmpdir(), 'portolan-bench-'))
  try {
    const nginx = peers.targets.find(({ name }) => name === 'nginx')
    if (nginx === undefined) throw new Error('no nginx')
    const rate = Math.round(sample('small', nginx, connections).rps * load)
    const targets: Target[] = [...peers.targets, ours.target]
    const times = new Map<string, Times[]>(targets.map(({ name }) => [name, []]))
    for (let i = 0; i < rounds; i++) {
      for (const target of targets) {
        say(`${rate} requests/s, round ${i + 1} of ${rounds}: ${target.name}`)
        times.get(target.name)?.push(timed(target, rate, join(directory, 'log')))
      }
    }
    const results = Object.fromEntries([...times].map(([name, all]) => [name, summary(all)]))
    const p99Of = (name: string): number => results[name]?.p99 ?? Number.NaN
    const best = p99Of('nginx') < p99Of('haproxy') ? 'nginx' : 'haproxy'
    const value = p99Of('portolan') / p99Of(best)
    if (!Number.isFinite(value)) throw new Error(`no figure: ${JSON.stringify(results)}`)
    return {
      row: 'proxy.p99',
      value: round(value),
      unit: 'ratio',
      better: 'lower',
      peer: best,
      detail: { atMost: 2, aim: 1.2, connections, rounds, seconds, ratePerSecond: rate, ms: results },
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

export function timed({ port }: Target, rate: number, log: string): Times {
  const each = rate / connections
  const args = ['--h1', '-t1', `-c${connections}`, `-D${seconds}`, '--warm-up-time=1', `--rps=${each}`]
  runPinned(1, 'h2load', [...args, `--log-file=${log}`, `http://127.0.0.1:${port}/`])
  // A line a request: when it began, its status, and how long it took, in microseconds.
  const lines = readFileSync(log, 'utf8').trim().split('\n')
  rmSync(log)
  const requests = lines.map(line => line.split('\t').map(Number))
  const took = requests.map(([, , us = Number.NaN]) => us / 1000)
  const bad = requests.filter(([, status]) => status !== 200).length
  return { p50: median(took), p99: quantile(took, 0.99), requests: took.length, bad }
}

export function summary(all: readonly Times[]): Times {
  return {
    p50: round(median(all.map(({ p50 }) => p50))),
    p99: round(median(all.map(({ p99 }) => p99))),
    requests: all.reduce((sum, { requests }) => sum + requests, 0),
    bad: all.reduce((sum, { bad }) => sum + bad, 0),
  }
}
