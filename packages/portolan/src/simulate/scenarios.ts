import { Fault, type Milliseconds } from '@portolan/core'
import { bursts, poisson, steady } from './arrivals.ts'
import { type Distribution, exponential, logNormal } from './distributions.ts'
import type { ServerPlan } from './server.ts'
import type { Scenario } from './simulation.ts'

/** One that can be asked for by name. */
export interface NamedScenario extends Scenario {
  /** Its servers alone, for requests that come by a trace: what `about` says of the load is not true then. */
  readonly setting: string
  /** When what `setting` tells of begins. */
  readonly happensAt?: Milliseconds
}

const workers = 4

/** The pool of most scenarios: mean service times in ms of ten servers with four workers each, one of them slow. */
const mixed: readonly Milliseconds[] = [8, 8, 8, 10, 10, 10, 10, 10, 10, 40]
const equal: readonly Milliseconds[] = Array<Milliseconds>(10).fill(10)

/** Requests a second that a pool can serve at most. */
function capacityOf(means: readonly Milliseconds[]): number {
  return means.reduce((sum, mean) => sum + (workers * 1000) / mean, 0)
}

function pool(
  means: readonly Milliseconds[],
  service: (mean: Milliseconds) => Distribution = exponential,
  more: (index: number) => Partial<ServerPlan> = () => ({}),
): ServerPlan[] {
  return means.map((mean, index) => ({
    id: `s-${String(index).padStart(2, '0')}`,
    workers,
    service: service(mean),
    ...more(index),
  }))
}

function skew(load: number): NamedScenario {
  const setting = 'one of ten is 4 times as slow'
  return {
    name: `skew-${load}`,
    setting,
    about: `${setting}; ${percent(load)} of what all can serve`,
    servers: pool(mixed),
    odd: 's-09',
    arrivals: steady(load * capacityOf(mixed)),
  }
}

function equals(load: number): NamedScenario {
  const setting = 'ten equal servers'
  return {
    name: `equal-${load}`,
    setting,
    about: `${setting} at ${percent(load)}`,
    servers: pool(equal),
    arrivals: steady(load * capacityOf(equal)),
  }
}

/** One of ten becomes eight times as slow for 30 s. */
const brownOut: NamedScenario = {
  name: 'brown-out',
  about: 'one of ten becomes 8 times as slow for 30 s; 70 %',
  setting: 'one of ten is 8 times as slow from 40 s to 70 s',
  happensAt: 40_000,
  servers: pool(equal, exponential, index =>
    index === 0 ? { slowdown: now => (now >= 40_000 && now < 70_000 ? 8 : 1) } : {},
  ),
  odd: 's-00',
  arrivals: steady(0.7 * capacityOf(equal)),
}

const heavyTail: NamedScenario = {
  name: 'heavy-tail',
  about: 'log-normal service times, standard deviation 2.5 times the mean; one of ten 4 times as slow; 70 %',
  setting: 'log-normal service times, standard deviation 2.5 times the mean; one of ten 4 times as slow',
  servers: pool(mixed, mean => logNormal(mean, 2.5)),
  odd: 's-09',
  arrivals: steady(0.7 * capacityOf(mixed)),
}

const burst: NamedScenario = {
  name: 'bursts',
  about: '2 s at 2.2 times the load of every 10 s, more than all can serve; 60 % between them',
  setting: 'one of ten is 4 times as slow',
  servers: pool(mixed),
  odd: 's-09',
  arrivals: bursts(0.6 * capacityOf(mixed), 2.2, 2000, 10_000),
}

const fastFailer: NamedScenario = {
  name: 'fast-failer',
  about: 'one of ten answers 500 within a millisecond; 50 %',
  setting: 'one of ten answers 500 within a millisecond',
  servers: pool(equal, exponential, index => (index === 0 ? { failsIn: () => 1 } : {})),
  odd: 's-00',
  arrivals: steady(0.5 * capacityOf(equal)),
}

const turnsAway: NamedScenario = {
  ...fastFailer,
  name: 'turns-away',
  about: 'one of ten answers 429 within a millisecond, and is never ejected for it; 50 %',
  setting: 'one of ten answers 429 within a millisecond, and is never ejected for it',
  servers: pool(equal, exponential, index =>
    index === 0 ? { failsIn: () => 1, failsWith: 'pushback' } : {},
  ),
}

/** A cold cache or an untrained compiler: 10 times as slow at first, and a little better with each moment. */
const coldStart: NamedScenario = {
  name: 'cold-start',
  about: 'one of ten starts and is 10 times as slow at first, as fast as the others after 30 s; 70 %',
  setting: 'one of ten starts at 30 s, 10 times as slow at first, as fast as the others at 60 s',
  happensAt: 30_000,
  servers: pool(equal, exponential, index =>
    index === 0 ? { startsAt: 30_000, slowdown: now => Math.max(1, 10 - (9 * (now - 30_000)) / 30_000) } : {},
  ),
  odd: 's-00',
  arrivals: steady(0.7 * capacityOf(equal)),
}

const scaleOut: NamedScenario = {
  name: 'scale-out',
  about: 'from 3 to 20 servers while the load grows 6 times',
  setting: 'three servers, and 17 that start one after the other from 30 s to 54 s',
  happensAt: 30_000,
  servers: pool(Array<Milliseconds>(20).fill(10), exponential, index =>
    index < 3 ? {} : { startsAt: 30_000 + 1500 * (index - 3) },
  ),
  arrivals: poisson(now => 800 * Math.min(6, Math.max(1, 1 + (5 * (now - 30_000)) / 25_500)), 4800),
}

const fourBalancers: NamedScenario = {
  ...skew(0.7),
  name: 'four-balancers',
  about: 'one of ten is 4 times as slow; 70 %; four balancers that know nothing of each other',
  setting: 'one of ten is 4 times as slow; four balancers that know nothing of each other',
  balancers: 4,
}

/** All of them. */
export const scenarios: readonly NamedScenario[] = [
  ...[0.5, 0.7, 0.85].map(equals),
  ...[0.5, 0.7, 0.85].map(skew),
  brownOut,
  heavyTail,
  burst,
  fastFailer,
  turnsAway,
  coldStart,
  scaleOut,
  fourBalancers,
]

/** Requests a second that a scenario's servers can serve at most, when all are up and none is slowed down. */
export function capacityOfAll(servers: readonly ServerPlan[]): number {
  return servers.reduce((sum, server) => sum + (server.workers * 1000) / server.service.meanMs, 0)
}

/** @throws Fault `invalid_request` for a name that no scenario has */
export function scenarioByName(name: string): NamedScenario {
  const found = scenarios.find(each => each.name === name)
  if (found !== undefined) return found
  const names = scenarios.map(each => each.name)
  throw new Fault('invalid_request', `no scenario is named "${name.slice(0, 80)}"`, {
    source: 'caller',
    hint: `there are: ${names.join(', ')}`,
  })
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}
