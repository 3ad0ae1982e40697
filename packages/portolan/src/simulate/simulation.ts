import { type Clock, type Milliseconds, type Random, seededRandom } from '@portolan/core'
import type { Arrivals } from './arrivals.ts'
import { BalancerChooser, type Chooser, Oracle } from './chooser.ts'
import type { Contestant } from './contestants.ts'
import { Measures } from './measures.ts'
import { Server, type ServerPlan } from './server.ts'
import { type ClientPlan, Traffic } from './traffic.ts'
import { type Happening, VirtualTime } from './virtual-time.ts'

/** Where a scenario says nothing of its own. */
export const usual = { warmUpMs: 20_000, endMs: 90_000, goodMs: 100 } as const

/** Servers, those who send to them, and how long it goes on: all of it data, so that one seed gives one result. */
export interface Scenario {
  readonly name: string
  /** One line for people. */
  readonly about: string
  readonly servers: readonly ServerPlan[]
  /** The id of the server that is unlike the others: what it gets is told. */
  readonly odd?: string
  readonly arrivals: Arrivals
  readonly client?: ClientPlan
  /** Balancers that know nothing of each other. Default 1. */
  readonly balancers?: number
  /** Requests that begin before this do not count. Default 20 s. */
  readonly warmUpMs?: Milliseconds
  /** Default 90 s. */
  readonly endMs?: Milliseconds
  /** An answer within this is a good one. Default 100 ms. */
  readonly goodMs?: Milliseconds
}

/** What came of one scenario under one policy. Times in milliseconds. */
export interface Result {
  readonly scenario: string
  readonly policy: string
  readonly seed: number
  readonly requests: number
  readonly mean: Milliseconds
  readonly p50: Milliseconds
  readonly p90: Milliseconds
  readonly p99: Milliseconds
  readonly p999: Milliseconds
  readonly max: Milliseconds
  /** Good answers / requests. */
  readonly goodput: number
  /** Failed / requests. */
  readonly errors: number
  /** Attempts / requests: what retries made of it. */
  readonly amplification: number
  /** By server: its share of the picks, and how busy its workers were (0 to 1). */
  readonly servers: readonly { readonly id: string; readonly share: number; readonly utilisation: number }[]
  /** The share of all picks that the scenario's odd one got; undefined where all are alike. */
  readonly oddShare: number | undefined
  /** Of the utilisations: largest / mean, and standard deviation. */
  readonly spread: { readonly maxOverMean: number; readonly deviation: number }
}

/** Runs one scenario. The same scenario, policy and seed give the same result on every machine. */
export function simulate(scenario: Scenario, contestant: Contestant, seed: number): Result {
  const { warmUpMs, endMs, goodMs, balancers = 1, client = {} } = { ...usual, ...scenario }
  const time = new VirtualTime()
  // Each has dice of its own: another policy meets the same arrivals and the same service times, as far as it can.
  const dice = (number: number): Random => seededRandom(seed * 1_000_003 + number)
  const servers = scenario.servers.map((plan, index) => new Server(plan, time, dice(100 + index)))
  const choosers = Array.from({ length: contestant.policy === undefined ? 1 : balancers }, (_, index) =>
    chooserOf(contestant, dice(10 + index), time),
  )
  offerAll(servers, choosers, time)
  const measures = new Measures(warmUpMs, goodMs)
  const traffic = new Traffic({ time, random: dice(1), keyRandom: dice(3), choosers, measures, client })
  sendAll(scenario.arrivals(dice(2)), traffic, time)
  everySecond(time, () => {
    for (const each of choosers) each.sweep()
  })
  time.runUntil(warmUpMs)
  const busyBefore = servers.map(({ busyMs }) => busyMs)
  time.runUntil(endMs)
  traffic.end(endMs)
  const utilisations = servers.map(
    ({ busyMs, plan }, index) => (busyMs - (busyBefore[index] ?? 0)) / (plan.workers * (endMs - warmUpMs)),
  )
  return resultOf({ scenario, contestant, seed, servers, measures, utilisations })
}

function chooserOf({ policy }: Contestant, random: Random, clock: Clock): Chooser {
  return policy === undefined ? new Oracle(random, clock) : new BalancerChooser(policy(), random, clock)
}

/** Those that serve, now and whenever one starts. A death is found out by those who meet it. */
function offerAll(servers: readonly Server[], choosers: readonly Chooser[], time: VirtualTime): void {
  const offer = (now: Milliseconds): void => {
    const present = servers.filter(({ plan }) => now >= (plan.startsAt ?? 0))
    for (const chooser of choosers) chooser.offer(present)
  }
  offer(0)
  const starts = new Set(servers.map(({ plan }) => plan.startsAt ?? 0))
  for (const start of starts) if (start > 0) time.plan(start, { happen: offer })
}

function sendAll(next: () => Milliseconds | undefined, traffic: Traffic, time: VirtualTime): void {
  const arrival: Happening = {
    happen(now) {
      traffic.send(now)
      plan()
    },
  }
  const plan = (): void => {
    const at = next()
    if (at !== undefined) time.plan(at, arrival)
  }
  plan()
}

function everySecond(time: VirtualTime, run: () => void): void {
  const tick: Happening = {
    happen(now) {
      run()
      time.plan(now + 1000, tick)
    },
  }
  time.plan(1000, tick)
}

interface Outcome {
  readonly scenario: Scenario
  readonly contestant: Contestant
  readonly seed: number
  readonly servers: readonly Server[]
  readonly measures: Measures
  readonly utilisations: readonly number[]
}

function resultOf({ scenario, contestant, seed, servers, measures, utilisations }: Outcome): Result {
  const { times, requests } = measures
  const share = (count: number): number => (requests === 0 ? 0 : count / requests)
  const picks = [...measures.picks.values()].reduce((sum, count) => sum + count, 0)
  const mean = utilisations.reduce((sum, each) => sum + each, 0) / utilisations.length
  const variance = utilisations.reduce((sum, each) => sum + (each - mean) ** 2, 0) / utilisations.length
  const shares = servers.map((server, index) => ({
    id: server.plan.id,
    share: (measures.picks.get(server) ?? 0) / Math.max(1, picks),
    utilisation: utilisations[index] ?? 0,
  }))
  return {
    scenario: scenario.name,
    policy: contestant.name,
    seed,
    requests,
    mean: times.mean,
    p50: times.percentile(0.5),
    p90: times.percentile(0.9),
    p99: times.percentile(0.99),
    p999: times.percentile(0.999),
    max: times.max,
    goodput: share(measures.good),
    errors: share(measures.failed),
    amplification: share(measures.attempts),
    servers: shares,
    oddShare: shares.find(({ id }) => id === scenario.odd)?.share,
    spread: {
      maxOverMean: mean === 0 ? 1 : Math.max(...utilisations) / mean,
      deviation: Math.sqrt(variance),
    },
  }
}
