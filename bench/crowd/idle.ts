import { readFileSync } from 'node:fs'
import { openOurs } from '../peers/proxy/ours.ts'
import { openPeers } from '../peers/proxy/peers.ts'
import { sample, type Target } from '../proxy.ts'
import { type Bench, round } from '../row.ts'
import { type CrowdCount, gather } from './crowd.ts'

const idle = Number(process.env.BENCH_IDLE ?? 8000)
const busy = Number(process.env.BENCH_BUSY ?? 100)
/** The same for both: a connection to an instance for each would still fit into 20,000 descriptors. */
const maxConnections = Math.max(1000, Math.round(idle * 1.125))
const settleMs = 3000

interface Measured {
  /** Of resident memory, an idle connection. */
  readonly kibEach: number
  /** Resident before the idle ones came, with them, and with the busy ones besides. */
  readonly mib: { readonly before: number; readonly idle: number; readonly busy: number }
  readonly without: Busy
  readonly beside: Busy
  /** How many of the idle ones were still there at the end. */
  readonly stillOpen: number
}

interface Busy {
  readonly rps: number
  readonly p99Ms: number
  readonly bad: number
}

/**
 * What a client connection costs that does nothing: resident memory of our gateway an idle connection over HAProxy's, with
 * 8,000 of them that have asked once. `detail` has what 100 busy ones get with them and without.
 */
export const proxyIdleRow: Bench = async say => {
  await using peers = await openPeers({ maxConnections })
  await using ours = await openOurs({ maxConnections })
  const targets: Target[] = [...peers.targets.filter(({ name }) => name === 'haproxy'), ours.target]
  const results: Record<string, Measured> = {}
  for (const target of targets) results[target.name] = await measure(target, say)
  const value = (results.portolan?.kibEach ?? Number.NaN) / (results.haproxy?.kibEach ?? Number.NaN)
  if (!Number.isFinite(value)) throw new Error(`no figure: ${JSON.stringify(results)}`)
  return {
    row: 'proxy.idle',
    value: round(value),
    unit: 'ratio',
    better: 'lower',
    peer: 'haproxy',
    detail: { idle, busy, maxConnections, results },
  }
}

async function measure(target: Target, say: (progress: string) => void): Promise<Measured> {
  say(`${target.name}: ${busy} busy connections alone`)
  const without = busyOf(target)
  const before = residentMib(target)
  say(`${target.name}: ${idle} idle connections`)
  await using crowd = await gather('idle', target.port, idle)
  await new Promise(resolve => setTimeout(resolve, settleMs))
  const withIdle = residentMib(target)
  say(`${target.name}: ${busy} busy connections beside them`)
  const beside = busyOf(target)
  const withBusy = residentMib(target)
  const { open }: CrowdCount = await crowd.count()
  return {
    kibEach: round(((withIdle - before) * 1024) / idle, 2),
    mib: { before: round(before, 1), idle: round(withIdle, 1), busy: round(withBusy, 1) },
    without,
    beside,
    stillOpen: open,
  }
}

function busyOf(target: Target): Busy {
  const { rps, p99Ms, bad } = sample('small', target, busy)
  return { rps: round(rps, 0), p99Ms, bad }
}

function residentMib({ pids }: Target): number {
  return pids.reduce((sum, pid) => {
    const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return sum + Number(kib) / 1024
  }, 0)
}
