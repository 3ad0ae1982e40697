import { Fault } from '../fault/fault.ts'
import { suggestion } from '../naming/nearest.ts'
import { adaptive } from './adaptive/adaptive.ts'
import { forecastWeighted } from './forecast-weighted/forecast-weighted.ts'
import { leastRequest } from './least-request/least-request.ts'
import { maglev } from './maglev/maglev.ts'
import { peakEwma } from './peak-ewma/peak-ewma.ts'
import type { Policy } from './picker.ts'
import { randomChoice } from './random/random.ts'
import { ringHash } from './ring-hash/ring-hash.ts'
import { roundRobin } from './round-robin/round-robin.ts'

/** What some policies can be told. */
export interface PolicyOptions {
  /**
   * `ring-hash`: nobody gets more than so many times its share of what this process has in flight, rounded up, whatever
   * chance makes; 1 or more. Default: 1.25, and what chance makes beyond it is let pass.
   */
  readonly hashBalanceFactor?: number | undefined
}

/** Every balancing policy by name. Each call makes a policy of its own, for one balancer. */
export const policies = {
  adaptive: () => adaptive(),
  'forecast-weighted': () => forecastWeighted(),
  'least-request': () => leastRequest(),
  maglev: () => maglev(),
  'peak-ewma': () => peakEwma(),
  random: () => randomChoice(),
  'ring-hash': ({ hashBalanceFactor: bound } = {}) =>
    ringHash(bound === undefined ? {} : { bound, chance: 0 }),
  'round-robin': () => roundRobin(),
} as const satisfies Readonly<Record<string, (options?: PolicyOptions) => Policy>>

export type PolicyName = keyof typeof policies

export const policyNames = Object.keys(policies) as readonly PolicyName[]

export const defaultPolicy: PolicyName = 'least-request'

export function isPolicyName(name: string): name is PolicyName {
  return Object.hasOwn(policies, name)
}

/**
 * A new policy for one balancer.
 * @throws Fault `invalid_request` for a name that no policy has
 */
export function policyByName(name: string = defaultPolicy, options: PolicyOptions = {}): Policy {
  if (isPolicyName(name)) return policies[name](options)
  throw new Fault('invalid_request', `no balancing policy is named "${name.slice(0, 80)}"`, {
    source: 'caller',
    hint: suggestion(name, policyNames),
  })
}
