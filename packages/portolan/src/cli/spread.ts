import {
  Balancer,
  type BalanceSettings,
  type Caller,
  composedPolicy,
  type Endpoint,
  eligible,
  formatHostPort,
  type Instance,
  type InstanceSet,
  isPriority,
  type Policy,
  policyByName,
  priorityOf,
  type Random,
} from '@portolan/core'
import { formatHealth } from './text/instance.ts'

/** Who picks, how, and how often. */
export interface Question {
  readonly balance: BalanceSettings
  readonly caller: Caller
  /** The key of all requests. Default: where `balance.hashBy` gives them keys, each has one of its own; else none. */
  readonly hashKey?: string | undefined
  readonly count: number
}

export interface Share {
  readonly id: string
  readonly address: string
  readonly weight: number
  /** Of all picks: 0 to 1. */
  readonly share: number
  readonly picked: number
  /** Why it was never picked. */
  readonly reason?: string
}

export interface Spread {
  /** Every instance carries a cause: picks go to those that are least bad. */
  readonly panic: boolean
  /** Every instance, in the set's order. */
  readonly picks: readonly Share[]
}

/** So many picks an instance are under way at a time: weights show under load, where idle instances are all alike. */
const underWay = 4

/** Enough for every part of the traffic to show that is worth a name. */
const telling = 10_000

/** How the picks of one caller spread who sees the set for the first time, and has learned nothing yet. */
export function spreadOf(set: InstanceSet, question: Question, random: Random): Spread {
  const { balance, caller, count, hashKey } = question
  const reached = new Set<Endpoint>()
  const lookedOn = (): Policy => {
    const policy = policyByName(balance.policy, balance)
    return (endpoints, ...rest) => {
      for (const endpoint of endpoints) reached.add(endpoint)
      return policy(endpoints, ...rest)
    }
  }
  const balancer = new Balancer(composedPolicy(balance, caller, lookedOn), random)
  balancer.update(set)
  const { endpoints, panic } = eligible(balancer.endpoints)
  const keys = balance.hashBy === undefined ? () => undefined : String
  // One key says nothing of why the others' instances are there: that takes the traffic of all.
  const all = countPicks(balancer, hashKey === undefined ? count : telling, underWay * endpoints.length, keys)
  const picked = hashKey === undefined ? all : countPicks(balancer, count, 0, () => hashKey)
  const trial = { eligible: new Set(endpoints), reached, picked: all }
  const picks = balancer.endpoints.map((endpoint): Share => {
    const { id, instance } = endpoint
    const own = picked.get(endpoint) ?? 0
    return {
      id,
      address: formatHostPort(instance.addresses[0] ?? '', instance.ports[0]?.number ?? 0),
      weight: instance.weight,
      share: own / count,
      picked: own,
      ...(own > 0 ? {} : { reason: reasonFor(endpoint, trial, question) }),
    }
  })
  return { panic, picks }
}

/** How often each was picked; `open` picks are under way at a time, the oldest is done first. */
function countPicks(
  balancer: Balancer,
  count: number,
  open: number,
  keyOf: (index: number) => string | undefined,
): ReadonlyMap<Endpoint, number> {
  const picked = new Map<Endpoint, number>()
  const ring = new Array<Endpoint | undefined>(open)
  for (let index = 0; index < count; index++) {
    const hashKey = keyOf(index)
    const endpoint = balancer.pick(hashKey === undefined ? undefined : { hashKey })
    if (endpoint === undefined) break
    picked.set(endpoint, (picked.get(endpoint) ?? 0) + 1)
    const ended = open === 0 ? endpoint : ring[index % open]
    if (ended !== undefined) balancer.done(ended, 'cancelled')
    if (open > 0) ring[index % open] = endpoint
  }
  for (const endpoint of ring) if (endpoint !== undefined) balancer.done(endpoint, 'cancelled')
  return picked
}

interface Trial {
  readonly eligible: ReadonlySet<Endpoint>
  /** Those that a policy got to choose among. */
  readonly reached: ReadonlySet<Endpoint>
  /** By the traffic of all. */
  readonly picked: ReadonlyMap<Endpoint, number>
}

/** Why an endpoint got none of the picks: the outermost of what stands around the policy that kept them from it. */
function reasonFor(endpoint: Endpoint, trial: Trial, { caller, hashKey }: Question): string {
  const { instance } = endpoint
  if (!trial.eligible.has(endpoint)) {
    return instance.weight === 0 ? 'weight 0 takes no new requests' : formatHealth(instance, false)
  }
  if (trial.picked.has(endpoint)) return 'the key goes elsewhere'
  const picked = [...trial.picked.keys()].map(each => each.instance)
  const level = priorityOf(instance)
  const levels = new Set(picked.map(priorityOf))
  if (!levels.has(level))
    return `${sayPriority(instance)}: priority ${[...levels].sort().join(' and ')} bears all`
  const { zone } = caller
  const mates = picked.filter(each => priorityOf(each) === level)
  if (
    zone !== undefined &&
    zone !== '' &&
    instance.zone !== zone &&
    mates.every(mate => mate.zone === zone)
  ) {
    return `${instance.zone === undefined ? 'in no zone' : `zone ${instance.zone}`}: zone ${zone} bears all of its callers’ requests`
  }
  if (!trial.reached.has(endpoint)) return `not in the subset of ${caller.client ?? ''}`
  return hashKey === undefined ? 'by chance: picks are few' : 'the key goes elsewhere'
}

function sayPriority(instance: Instance): string {
  const { priority = '' } = instance.metadata
  if (isPriority(priority)) return `priority ${priority}`
  return `priority ${JSON.stringify(priority.slice(0, 40))} is none, and counts as ${priorityOf(instance)}`
}
