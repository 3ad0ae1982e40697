import { hash32, rehash32 } from '../hashing/hash.ts'
import type { Endpoint, Policy } from '../picker.ts'

/**
 * Each caller picks among so many instances only, always the same ones: 1,000 callers of 1,000 instances then hold 20,000
 * connections instead of a million. Which ones follows from the names alone, by rendezvous: a caller takes those for which
 * the hash of both names is highest (gRFC A68; D. G. Thaler and C. V. Ravishankar, IEEE/ACM Transactions on Networking
 * 6(1), 1998). So callers need not know of each other, and one instance that goes makes its callers change one each.
 *
 * @param client names the caller; different ones have different subsets
 * @param size instances a caller; 0 = all
 */
export function subsetting(inner: Policy, client: string, size: number): Policy {
  if (size <= 0) return inner
  const seed = hash32(client)
  return (endpoints, random, all) => inner(subsetOf(endpoints, seed, size), random, all)
}

function subsetOf(endpoints: readonly Endpoint[], seed: number, size: number): readonly Endpoint[] {
  if (endpoints.length <= size) return endpoints
  const ranked = endpoints.map(endpoint => ({ endpoint, rank: rehash32(hash32(endpoint.id), seed) }))
  ranked.sort((a, b) => b.rank - a.rank || (a.endpoint.id < b.endpoint.id ? -1 : 1))
  const chosen = new Set(ranked.slice(0, size).map(({ endpoint }) => endpoint))
  // In the set's order, which policies keep.
  return endpoints.filter(endpoint => chosen.has(endpoint))
}
