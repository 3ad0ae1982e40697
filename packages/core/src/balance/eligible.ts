import type { CauseKind } from '../instance/cause.ts'
import type { Instance } from '../instance/instance.ts'
import type { Endpoint } from './picker.ts'

/** The endpoints that may be picked, and whether that took failing open. */
export interface Eligible<Candidate = Endpoint> {
  readonly endpoints: readonly Candidate[]
  /** Every instance that takes traffic carries a cause: picks go to those that are least bad. */
  readonly panic: boolean
}

const never = Number.POSITIVE_INFINITY

/**
 * How bad a cause is. Few coarse ranks, not a fine order: a fine one would send a whole service's load to its
 * single least bad instance. Rank 1 may still serve; at rank 2 nothing listens; rank 3 works, but is leaving,
 * and whoever drains it counts on silence.
 */
const rankOfKind: Readonly<Record<CauseKind, number>> = {
  disconnected: 1,
  outlier: 1,
  ttl: 1,
  http: 1,
  grpc: 1,
  script: 1,
  tcp: 2,
  starting: 2,
  draining: 3,
  operator: never,
}

/**
 * An instance is as bad as the worst of its causes; 0 = healthy. Among equals, one that does not answer its session and
 * carries another cause is worse, since what answers nobody is likelier dead than what answers badly; and worse than that
 * is one that our own requests have found out beside what others say: whoever says it of all may be cut off, and these
 * may be the dead among them.
 */
function rank({ causes }: Instance): number {
  let worst = 0
  let doubts = 0
  for (const { kind } of causes) {
    // A newer registry may send a kind that we do not know: it may still serve.
    worst = Math.max(worst, rankOfKind[kind] ?? 1)
    if (kind === 'outlier') doubts += 0.5
    else if (kind === 'disconnected') doubts += 0.25
  }
  return causes.length > 1 ? worst + Math.min(0.75, doubts) : worst
}

/**
 * Healthy endpoints of weight > 0; when there is none, those of the lowest rank of badness: never one that an
 * operator took out, and draining ones only when nothing else is left.
 */
export function eligible<Candidate extends Pick<Endpoint, 'instance' | 'weight'>>(
  endpoints: readonly Candidate[],
): Eligible<Candidate> {
  let best = never
  let chosen: Candidate[] = []
  for (const endpoint of endpoints) {
    // A weight that is no number, or without end, is nobody's share.
    if (!(endpoint.weight > 0 && endpoint.weight < never)) continue
    const own = rank(endpoint.instance)
    if (own > best || own === never) continue
    if (own < best) chosen = []
    best = own
    chosen.push(endpoint)
  }
  return { endpoints: chosen, panic: best > 0 && chosen.length > 0 }
}
