import { Fault } from '../fault/fault.ts'
import { suggestion } from '../naming/nearest.ts'
import { leastRequest } from './least-request.ts'
import type { Policy } from './picker.ts'
import { randomChoice } from './random.ts'
import { roundRobin } from './round-robin.ts'

/** Every balancing policy by name. Each call makes a policy of its own, for one balancer. */
export const policies = {
  'least-request': () => leastRequest(),
  random: () => randomChoice(),
  'round-robin': () => roundRobin(),
} as const satisfies Readonly<Record<string, () => Policy>>

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
export function policyByName(name: string = defaultPolicy): Policy {
  if (isPolicyName(name)) return policies[name]()
  throw new Fault('invalid_request', `no balancing policy is named "${name.slice(0, 80)}"`, {
    source: 'caller',
    hint: suggestion(name, policyNames),
  })
}
