import { composedPolicy, Fault, isPolicyName, type Policy, policyNames } from '@portolan/core'
import { naiveWeights } from './naive.ts'

/** Who decides in a simulation: a policy with all that goes on around it, or the oracle that knows more than any can. */
export interface Contestant {
  readonly name: string
  /** A policy of its own for each balancer; undefined = the oracle. */
  readonly policy: (() => Policy) | undefined
}

export const oracle: Contestant = { name: 'oracle', policy: undefined }

/** Beside the policies that there are: what they are measured against, and what not to do. */
const others: readonly Contestant[] = [oracle, { name: 'naive', policy: () => naiveWeights() }]

export const contestantNames: readonly string[] = [...others.map(({ name }) => name), ...policyNames]

/** @throws Fault `invalid_request` for a name that nobody has */
export function contestant(name: string): Contestant {
  const other = others.find(each => each.name === name)
  if (other !== undefined) return other
  if (isPolicyName(name)) return { name, policy: () => composedPolicy({ policy: name }) }
  throw new Fault('invalid_request', `no policy is named "${name.slice(0, 80)}"`, {
    source: 'caller',
    hint: `there are: ${contestantNames.join(', ')}`,
  })
}
