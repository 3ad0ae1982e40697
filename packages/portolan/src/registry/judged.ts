import { type Cause, type Degraded, withCause, withoutCause } from '@portolan/core'
import { startingOwner } from './incarnation.ts'
import type { EditStanding } from './journal.ts'
import { limits } from './limits.ts'
import type { Held } from './records.ts'
import type { Verdict } from './registry.ts'
import { incarnationOf, type Standing } from './slot.ts'

/** The edit that a check's verdict asks for: nothing when the run that it speaks of is over. */
export function judged(verdict: Verdict, since: string): EditStanding {
  return (standing, slot) => {
    if (incarnationOf(slot) !== verdict.incarnation) return standing
    const causes = causesAfter(standing, verdict, since)
    const degraded = degradedAfter(standing, verdict, since)
    const held = heldAfter(standing, verdict, causes)
    const isSame = causes === standing.causes && degraded === standing.degraded && held === standing.held
    return isSame ? standing : { causes, degraded, held }
  }
}

function causesAfter({ causes }: Standing, { owner, cause, started }: Verdict, since: string) {
  const begun = started === true ? withoutCause(causes, 'starting', startingOwner) : causes
  if (cause === undefined) return begun
  if (cause.reason === undefined) return withoutCause(begun, cause.kind, owner)
  const next = { kind: cause.kind, owner, reason: cause.reason.slice(0, limits.reason), since }
  const after = withCause(begun, next)
  return after.length > limits.causes ? begun : after
}

/** A penalty goes with its cause. */
function heldAfter({ held }: Standing, { owner, cause }: Verdict, causes: readonly Cause[]): readonly Held[] {
  if (cause === undefined) return held
  const earlier = held.find(other => other.owner === owner)
  const isOut = causes.some(({ kind, owner: by }) => kind === cause.kind && by === owner)
  const { penalty } = cause
  if (!isOut || penalty === undefined) return earlier === undefined ? held : held.filter(it => it !== earlier)
  if (earlier?.value === penalty.value && earlier?.at === penalty.at) return held
  const next = { owner, value: penalty.value, at: penalty.at }
  return [...held.filter(other => other !== earlier), next]
}

/** One degradation an owner; one that is said again keeps its `since`. */
function degradedAfter({ degraded }: Standing, verdict: Verdict, since: string): readonly Degraded[] {
  const { owner, degraded: said } = verdict
  if (said === undefined) return degraded
  const earlier = degraded.find(other => other.owner === owner)
  if (said === 'lifted') return earlier === undefined ? degraded : degraded.filter(other => other !== earlier)
  const next = { owner, factor: said.factor, reason: said.reason.slice(0, limits.reason) }
  if (earlier === undefined) {
    return degraded.length < limits.causes ? [...degraded, { ...next, since }] : degraded
  }
  if (earlier.factor === next.factor && earlier.reason === next.reason) return degraded
  return degraded.map(other => (other === earlier ? { ...next, since: earlier.since } : other))
}
