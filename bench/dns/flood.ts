import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Faults } from '../../test/faults/faults.ts'
import { type Latency, latencies, latency } from '../peers/dns/dnsperf.ts'
import { openOurs } from '../peers/dns/ours.ts'
import { openPeers } from '../peers/dns/peers.ts'
import { type DnsTarget, residentMib } from '../peers/dns/target.ts'
import { type Bench, round } from '../row.ts'
import { addressOf } from './question.ts'

const rounds = Number(process.env.BENCH_ROUNDS ?? 3)
const seconds = Number(process.env.BENCH_SECONDS ?? 5)
const floodPerSecond = Number(process.env.BENCH_FLOOD ?? 10_000)
const connections = Number(process.env.BENCH_CONNECTIONS ?? 4000)
/** Of those that behave. */
const ratePerSecond = 2000
const services = 100
const wide = { service: 'wide', instances: 1000 }

interface Measured {
  readonly without: Latency
  readonly beside: Latency
  readonly ratio: number
  readonly residentMib: { readonly before: number; readonly during: number; readonly after: number }
  readonly flood: Readonly<Record<string, number>>
}

/**
 * p99 of clients that behave beside a flood over p99 without, in turns: 10,000 UDP messages a second from 250 addresses
 * outside of `dns.trusted`, half of them questions with long answers and half garbage, and 4,000 TCP connections that
 * never end their question. unbound beside it, with the same flood.
 */
export const dnsFloodRow: Bench = async say => {
  const named = Array.from({ length: services }, (_, i) => ({
    service: `s${i}`,
    id: 'one',
    address: addressOf('10.0', i),
  }))
  const crowd = Array.from({ length: wide.instances }, (_, i) => ({
    service: wide.service,
    id: `i-${i}`,
    address: addressOf('10.2', i),
  }))
  await using peers = await openPeers(services)
  await using ours = await openOurs([...named, ...crowd], ['--trust', '127.0.0.1/32'])
  const unbound = peers.targets.filter(({ name }) => name === 'unbound')
  const results: Record<string, Measured> = {}
  for (const target of [...unbound, ours.target])
    results[target.name] = await measure(target, text => say(`${target.name}: ${text}`))
  const value = results.portolan?.ratio ?? Number.NaN
  if (!Number.isFinite(value)) throw new Error(`no figure: ${JSON.stringify(results)}`)
  return {
    row: 'dns.flood',
    value,
    unit: 'ratio',
    better: 'lower',
    peer: 'unbound',
    detail: { atMost: 2, rounds, seconds, ratePerSecond, floodPerSecond, connections, results },
  }
}

async function measure(target: DnsTarget, say: (progress: string) => void): Promise<Measured> {
  const without: Latency[] = []
  const beside: Latency[] = []
  let flood: Record<string, number> = {}
  await latency(target, ratePerSecond, 1)
  const before = residentMib(target.pids)
  let during = before
  for (let i = 0; i < rounds; i++) {
    say(`round ${i + 1} of ${rounds}, without`)
    without.push(await latency(target, ratePerSecond, seconds))
    const faults = new Faults()
    try {
      say(`round ${i + 1} of ${rounds}, beside the flood`)
      const file = fileURLToPath(new URL('./programs/flood.ts', import.meta.url))
      const words = [String(target.port), wide.service, String(floodPerSecond), String(connections)]
      const program = faults.start(file, words, { cpus: '1' })
      await program.line(line => line === 'ready' || undefined)
      beside.push(await latency(target, ratePerSecond, seconds))
      during = Math.max(during, residentMib(target.pids))
      flood = await program.ask<Record<string, number>>('counts')
    } finally {
      await faults.undo()
    }
    await setTimeout(1000)
  }
  const [alone, pressed] = [latencies(without), latencies(beside)]
  const after = residentMib(target.pids)
  return {
    without: alone,
    beside: pressed,
    ratio: round(pressed.p99Ms / alone.p99Ms),
    residentMib: { before: round(before, 1), during: round(during, 1), after: round(after, 1) },
    flood,
  }
}
