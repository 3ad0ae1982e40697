import type { Instance } from '../../instance/instance.ts'
import { type Group, GroupedPicker, policiesByPlace } from '../groups/grouped-picker.ts'
import type { Endpoint, Policy } from '../picker.ts'

/** So much more than its own part can the rest of a level bear, before the next level helps. */
const spare = 1.4

/**
 * Levels of priority: 0 gets everything while 1 / 1.4 of its weight may be picked; below that, what is missing goes to
 * the next level, which is judged in the same way, and so on. (Envoy's priority levels, with its overprovisioning factor.)
 *
 * @param levelOf 0 = first choice
 */
export function failover(newPolicy: () => Policy, levelOf: (instance: Instance) => number): Policy {
  const whole = newPolicy()
  const policyOf = policiesByPlace(newPolicy)
  return (endpoints, random, all = endpoints) => {
    const groups: readonly Group[] = levelShares(endpoints, all, levelOf)
    return groups.length < 2 ? whole(endpoints, random, all) : new GroupedPicker(groups, random, policyOf)
  }
}

/** Those of one level, and the part of all traffic that they get together. */
export interface LevelShare<Candidate> {
  readonly endpoints: readonly Candidate[]
  /** 0 to 1. */
  readonly share: number
}

/**
 * What {@link failover} gives to each level that may be picked, lowest first: for those who pick in another way.
 * @param all every endpoint, those included that may not be picked
 */
export function levelShares<Candidate extends Pick<Endpoint, 'instance' | 'weight'>>(
  endpoints: readonly Candidate[],
  all: readonly Candidate[],
  levelOf: (instance: Instance) => number,
): readonly LevelShare<Candidate>[] {
  const levels = [...new Set(endpoints.map(({ instance }) => levelOf(instance)))].sort((a, b) => a - b)
  if (levels.length < 2) return [{ endpoints, share: 1 }]
  const groups: LevelShare<Candidate>[] = []
  let left = 1
  for (const level of levels) {
    const mine = endpoints.filter(({ instance }) => levelOf(instance) === level)
    const able =
      (spare * weightOf(mine)) / weightOf(all.filter(({ instance }) => levelOf(instance) === level))
    const share = left * Math.min(1, able)
    groups.push({ endpoints: mine, share })
    left -= share
  }
  // What nobody can bear is borne by all as they can.
  return groups.map(({ endpoints: mine, share }) => ({ endpoints: mine, share: share / (1 - left) }))
}

function weightOf(endpoints: readonly Pick<Endpoint, 'weight'>[]): number {
  return endpoints.reduce((sum, { weight }) => sum + weight, 0)
}
