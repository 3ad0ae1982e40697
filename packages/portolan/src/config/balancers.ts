import type { PolicyName } from '@portolan/core'
import type { SourceDocument } from './document.ts'
import { formatPath, type Problem } from './problem.ts'
import type { Config } from './schema.ts'

type Balancer = Config['services'][string]['balancer']

interface Finding {
  readonly key: keyof Balancer
  readonly message: string
  readonly hint: string
}

/** The policies that go by a request's key. */
const hashing: ReadonlySet<PolicyName> = new Set<PolicyName>(['maglev', 'ring-hash'])

/**
 * A warning for each service whose policy goes by keys that requests do not have, or has no use for those they have or
 * for a bound.
 */
export function balancerWarnings(config: Config, document: SourceDocument): readonly Problem[] {
  return Object.entries(config.services).flatMap(([name, { balancer }]) =>
    [...keysAmiss(balancer), ...boundAmiss(balancer)].map(({ key, message, hint }): Problem => {
      const path = ['services', name, 'balancer', key]
      return { ...document.keyAt(path), path: formatPath(path), message, hint }
    }),
  )
}

function keysAmiss({ policy, hashBy }: Balancer): readonly Finding[] {
  if (hashing.has(policy) === (hashBy !== undefined)) return []
  if (hashBy === undefined) {
    const message = 'the gateway spreads these requests by chance: they have no key'
    const hint = 'add hashBy: address, header:NAME or cookie:NAME; the library’s calls bring their own keys'
    return [{ key: 'policy', message, hint }]
  }
  const hint = 'write policy: ring-hash or maglev beside it, or leave it out'
  return [{ key: 'hashBy', message: `hashBy is not looked at under the policy ${policy}`, hint }]
}

function boundAmiss({ policy, hashBalanceFactor }: Balancer): readonly Finding[] {
  if (hashBalanceFactor === undefined || policy === 'ring-hash') return []
  const message = `hashBalanceFactor is not looked at under the policy ${policy}`
  return [{ key: 'hashBalanceFactor', message, hint: 'write policy: ring-hash beside it, or leave it out' }]
}
