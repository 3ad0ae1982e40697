import type { Cause, Instance, InstanceSet, Milliseconds } from '@portolan/core'

/** What the requests of this process have learned of one instance. */
interface Record {
  readonly incarnation: number
  /** Times in a row that it was found out. */
  readonly strikes: number
  /** Failures since its last success. */
  readonly failures: number
  /** Until when it carries the cause; 0 = it carries none. */
  readonly until: Milliseconds
}

/** What this process knows better than the registry, by instance id. Immutable. */
export type Outliers = ReadonlyMap<string, Record>

export const noOutliers: Outliers = new Map()

/** A refused connection is proof: nothing listens. Broken ones may be anybody's fault until they come together. */
const brokenLimit = 3
const firstOutMs = 1000
const longestOutMs = 10_000

/**
 * A try failed below HTTP. Without this, the dead instance of a registry that is gone too would attract traffic:
 * fast errors keep its load lowest.
 */
export function struck(
  outliers: Outliers,
  instance: Instance,
  refused: boolean,
  now: Milliseconds,
): Outliers {
  const known = recordOf(outliers, instance)
  if (known.until > now) return outliers
  const failures = known.failures + 1
  const out = refused || failures >= brokenLimit
  const next: Record = out
    ? {
        incarnation: instance.incarnation,
        strikes: known.strikes + 1,
        failures: 0,
        until: now + Math.min(longestOutMs, firstOutMs * 2 ** Math.min(known.strikes, 10)),
      }
    : { ...known, failures }
  return new Map(outliers).set(instance.id, next)
}

/** A response came: whatever was held against the instance is over. */
export function vindicated(outliers: Outliers, id: string): Outliers {
  if (!outliers.has(id)) return outliers
  const rest = new Map(outliers)
  rest.delete(id)
  return rest
}

/** When the next cause is over; `undefined` = there is none. */
export function nextReturn(outliers: Outliers, now: Milliseconds): Milliseconds | undefined {
  const times = [...outliers.values()].map(({ until }) => until).filter(until => until > now)
  return times.length === 0 ? undefined : Math.min(...times)
}

/** The set as this process sees it: with a cause `outlier` of its own, at the registry's revision. */
export function localSet(set: InstanceSet, outliers: Outliers, now: Milliseconds): InstanceSet {
  if (outliers.size === 0) return set
  const isOut = (instance: Instance) => recordOf(outliers, instance).until > now
  if (!set.instances.some(isOut)) return set
  const instances = set.instances.map(instance =>
    isOut(instance) ? { ...instance, causes: [...instance.causes, cause] } : instance,
  )
  return { ...set, instances }
}

/** The records of instances that the set still has. */
export function stillThere(outliers: Outliers, set: InstanceSet): Outliers {
  if (outliers.size === 0) return outliers
  const current = new Map(set.instances.map(({ id, incarnation }) => [id, incarnation]))
  return new Map([...outliers].filter(([id, { incarnation }]) => current.get(id) === incarnation))
}

const cause: Cause = {
  kind: 'outlier',
  owner: 'local',
  reason: 'connections from this process failed',
  since: new Date(0).toISOString(),
}

function recordOf(outliers: Outliers, instance: Instance): Record {
  const known = outliers.get(instance.id)
  if (known !== undefined && known.incarnation === instance.incarnation) return known
  return { incarnation: instance.incarnation, strikes: 0, failures: 0, until: 0 }
}
