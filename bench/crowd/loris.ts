import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openOurs } from '../peers/proxy/ours.ts'
import { openPeers } from '../peers/proxy/peers.ts'
import { sample, type Target } from '../proxy.ts'
import { summary, type Times, timed } from '../proxy-p99.ts'
import { type Bench, round } from '../row.ts'
import { type CrowdCount, gather } from './crowd.ts'

const rounds = Number(process.env.BENCH_ROUNDS ?? 3)
const lorises = Number(process.env.BENCH_LORISES ?? 2000)
const connections = 32
/** Of what our gateway can do. */
const load = 0.5

/**
 * 2,000 clients that send the heads of their requests a byte a second: p99 of clients that behave, with these over
 * without, at half of what our gateway can do, in interleaved rounds. `detail` has HAProxy's beside.
 */
export const proxyLorisRow: Bench = async say => {
  const directory = mkdtempSync(join(tmpdir(), 'portolan-bench-'))
  await using peers = await openPeers({ maxConnections: lorises + 2000 })
  await using ours = await openOurs()
  try {
    const targets: Target[] = [...peers.targets.filter(({ name }) => name === 'haproxy'), ours.target]
    const rate = Math.round(sample('small', ours.target, connections).rps * load)
    const log = join(directory, 'log')
    const without = new Map<string, Times[]>(targets.map(({ name }) => [name, []]))
    const beside = new Map<string, Times[]>(targets.map(({ name }) => [name, []]))
    const crowds: Record<string, CrowdCount> = {}
    for (let i = 0; i < rounds; i++) {
      for (const target of targets) {
        say(`${rate} requests/s, round ${i + 1} of ${rounds}: ${target.name}`)
        without.get(target.name)?.push(timed(target, rate, log))
        await using crowd = await gather('loris', target.port, lorises)
        say(`${rate} requests/s, round ${i + 1} of ${rounds}: ${target.name}, beside ${lorises} slow ones`)
        beside.get(target.name)?.push(timed(target, rate, log))
        crowds[target.name] = await crowd.count()
      }
    }
    const results = Object.fromEntries(
      targets.map(({ name }) => {
        const alone = summary(without.get(name) ?? [])
        const pressed = summary(beside.get(name) ?? [])
        return [name, { without: alone, beside: pressed, ratio: round(pressed.p99 / alone.p99) }]
      }),
    )
    const value = results.portolan?.ratio ?? Number.NaN
    if (!Number.isFinite(value)) throw new Error(`no figure: ${JSON.stringify(results)}`)
    return {
      row: 'proxy.loris',
      value,
      unit: 'ratio',
      better: 'lower',
      peer: 'haproxy',
      detail: { atMost: 1.5, lorises, connections, rounds, ratePerSecond: rate, ms: results, crowds },
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
