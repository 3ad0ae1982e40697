/** The kinds of reason why an instance should not be picked. */
export const causeKinds = [
  'starting',
  'tcp',
  'http',
  'grpc',
  'script',
  'ttl',
  'disconnected',
  'outlier',
  'draining',
  'operator',
] as const

export type CauseKind = (typeof causeKinds)[number]

/**
 * One reason why an instance should not be picked. Its identity is (kind, owner): only the owner that set a
 * cause lifts it, and two HTTP checks of one instance are two causes. *Healthy* is the absence of causes; it is
 * derived and never stored.
 */
export interface Cause {
  readonly kind: CauseKind
  /** A check's id, a session, a proxy, a person. */
  readonly owner: string
  readonly reason: string
  /** When it was set, as an ISO 8601 time in UTC. */
  readonly since: string
}

/** The causes with `cause` among them; one with the same kind and owner is replaced, keeping its `since`. */
export function withCause(causes: readonly Cause[], cause: Cause): readonly Cause[] {
  const earlier = causes.find(other => other.kind === cause.kind && other.owner === cause.owner)
  if (earlier === undefined) return [...causes, cause]
  if (earlier.reason === cause.reason) return causes
  return causes.map(other => (other === earlier ? { ...cause, since: earlier.since } : other))
}

/** The causes without the one that (kind, owner) names; the same array when there is none. */
export function withoutCause(causes: readonly Cause[], kind: CauseKind, owner: string): readonly Cause[] {
  const rest = causes.filter(cause => cause.kind !== kind || cause.owner !== owner)
  return rest.length === causes.length ? causes : rest
}
