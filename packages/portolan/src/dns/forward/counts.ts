/**
 * Who answered: an upstream; the cache; the cache beyond its time, because no upstream did; we ourselves, what is
 * nobody's business outside; or nobody, for a reason.
 */
export const results = ['upstream', 'cache', 'stale', 'local', 'refused', 'failed', 'overloaded'] as const
export type Result = (typeof results)[number]

export interface ForwardCounts {
  readonly results: Record<Result, number>
  prefetched: number
}

export function noCounts(): ForwardCounts {
  return {
    results: { upstream: 0, cache: 0, stale: 0, local: 0, refused: 0, failed: 0, overloaded: 0 },
    prefetched: 0,
  }
}
