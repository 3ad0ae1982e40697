import {
  type Latency,
  latencies,
  latency,
  type Throughput,
  throughput,
  throughputs,
} from '../peers/dns/dnsperf.ts'
import { openOurs } from '../peers/dns/ours.ts'
import { type DnsPeers, openPeers } from '../peers/dns/peers.ts'
import type { DnsTarget } from '../peers/dns/target.ts'
import { type Bench, median, round } from '../row.ts'
import { type Changes, changeOurs, changesPerSecond, changeUnbound } from './changes.ts'
import { addressOf } from './question.ts'

const rounds = Number(process.env.BENCH_ROUNDS ?? 5)
const seconds = Number(process.env.BENCH_SECONDS ?? 3)
const names = 1000
/** Of what the slowest of them can do: the rate at which latencies are compared. */
const load = 0.5

interface Contestant {
  readonly target: DnsTarget
  /** Begins what changes while it is asked. */
  readonly changing?: () => Promise<Changes>
}

interface Results {
  readonly fastest: Readonly<Record<string, Throughput>>
  readonly ratePerSecond: number
  readonly timed: Readonly<Record<string, Latency>>
  readonly changes: Readonly<Record<string, unknown>>
}

/**
 * Queries/s of our name server over those of the better of dnsmasq and unbound (one thread each), all on CPU 0 with
 * dnsperf on CPU 1, in interleaved rounds: 1,000 names with an address each, over UDP. `churn`: while 50 changes/s
 * happen to ours; the peers' answers stay as they are, which is the stricter comparison (`unbound, changed` in the
 * detail has as many).
 */
export function dnsRow(what: 'hot' | 'churn'): Bench {
  return async say => {
    await using peers = await openPeers(names)
    await using ours = await openOurs(
      Array.from({ length: names }, (_, i) => ({
        service: `s${i}`,
        id: 'one',
        address: addressOf('10.0', i),
      })),
    )
    const still: Contestant[] = [...peers.targets, ours.target].map(target => ({ target }))
    const contestants =
      what === 'hot'
        ? still
        : changed(peers, ours.target, () => changeOurs(ours.url, ours.target.port, names))
    const { fastest, ...rest } = await compare(contestants, say)
    const best = (fastest.dnsmasq?.qps ?? 0) > (fastest.unbound?.qps ?? 0) ? 'dnsmasq' : 'unbound'
    const value = (fastest.portolan?.qps ?? Number.NaN) / (fastest[best]?.qps ?? Number.NaN)
    if (!Number.isFinite(value)) throw new Error(`no figure: ${JSON.stringify(fastest)}`)
    const churn = what === 'hot' ? {} : { changesPerSecond, peersChange: false }
    return {
      row: `dns.${what}`,
      value: round(value),
      unit: 'ratio',
      better: 'higher',
      peer: best,
      detail: { atLeast: 0.6, aim: 0.75, names, rounds, seconds, ...churn, fastest, ...rest },
    }
  }
}

function changed(peers: DnsPeers, ours: DnsTarget, changing: () => Promise<Changes>): Contestant[] {
  const unbound = peers.targets.find(({ name }) => name === 'unbound')
  if (unbound === undefined) throw new Error('no unbound')
  return [
    ...peers.targets.map(target => ({ target, changing })),
    { target: { ...unbound, name: 'unbound, changed' }, changing: () => changeUnbound(peers, names) },
    { target: ours, changing },
  ]
}

async function compare(
  contestants: readonly Contestant[],
  say: (progress: string) => void,
): Promise<Results> {
  const of = <T>(): Map<string, T[]> => new Map(contestants.map(({ target }) => [target.name, []]))
  const asked = of<Throughput>()
  const timed = of<Latency>()
  const changes: Record<string, unknown> = {}
  const inTurn = async (turn: (contestant: DnsTarget) => Promise<void>): Promise<void> => {
    for (const { target, changing } of contestants) {
      await using going = await changing?.()
      await turn(target)
      if (going !== undefined) changes[target.name] = going.figures()
    }
  }
  // The first round warms up.
  await inTurn(async target => {
    say(`${target.name}: warming up`)
    await throughput(target, 1)
  })
  for (let i = 0; i < rounds; i++) {
    await inTurn(async target => {
      say(`round ${i + 1} of ${rounds}: ${target.name}`)
      asked.get(target.name)?.push(await throughput(target, seconds))
    })
  }
  const slowest = Math.min(...[...asked.values()].map(all => median(all.map(({ qps }) => qps))))
  const ratePerSecond = Math.round(slowest * load)
  for (let i = 0; i < rounds; i++) {
    await inTurn(async target => {
      say(`${ratePerSecond} queries/s, round ${i + 1} of ${rounds}: ${target.name}`)
      timed.get(target.name)?.push(await latency(target, ratePerSecond, seconds))
    })
  }
  const each = <T>(all: Map<string, T[]>, figure: (samples: readonly T[]) => T): Record<string, T> =>
    Object.fromEntries([...all].map(([name, samples]) => [name, figure(samples)]))
  return { fastest: each(asked, throughputs), ratePerSecond, timed: each(timed, latencies), changes }
}
