import type { PolicyName } from '@portolan/core'
import type { SourceDocument } from './document.ts'
import { formatPath, type Path, type Problem } from './problem.ts'
import type { Config } from './schema.ts'

/** The policies that go by a request's key. */
const hashing: ReadonlySet<PolicyName> = new Set<PolicyName>(['maglev', 'ring-hash'])

/** A warning for each service whose policy goes by keys that requests do not have, or has no use for those they have. */
export function balancerWarnings(config: Config, document: SourceDocument): readonly Problem[] {
  const warn = (path: Path, message: string, hint: string): Problem => ({
    ...document.keyAt(path),
    path: formatPath(path),
    message,
    hint,
  })
  return Object.entries(config.services).flatMap(([name, { balancer }]) => {
    const { policy, hashBy } = balancer
    if (hashing.has(policy) === (hashBy !== undefined)) return []
    const at = ['services', name, 'balancer']
    if (hashBy === undefined) {
      return [
        warn(
          [...at, 'policy'],
          'the gateway spreads these requests by chance: they have no key',
          'add hashBy: address, header:NAME or cookie:NAME; the library’s calls bring their own keys',
        ),
      ]
    }
    return [
      warn(
        [...at, 'hashBy'],
        `hashBy is not looked at under the policy ${policy}`,
        'write policy: ring-hash or maglev beside it, or leave it out',
      ),
    ]
  })
}
