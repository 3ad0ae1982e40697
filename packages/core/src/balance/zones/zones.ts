import { type Group, GroupedPicker, policiesByPlace } from '../groups/grouped-picker.ts'
import type { Endpoint, Policy } from '../picker.ts'

/**
 * The caller's own zone first, as far as it can bear it. Taken that callers are spread evenly over the zones that have
 * instances, each zone is due an equal part of the traffic: one whose instances have that part of all capacity keeps its
 * traffic to itself; one that has less sends what is too much to the others, by their capacity. So no zone is overloaded
 * for the sake of being near. (Envoy's zone aware routing, with evenness taken for granted instead of measured.)
 *
 * @param own the caller's zone; endpoints without a zone count as elsewhere
 */
export function zoneFirst(newPolicy: () => Policy, own: string | undefined): Policy {
  const whole = newPolicy()
  if (own === undefined || own === '') return whole
  const policyOf = policiesByPlace(newPolicy)
  return (endpoints, random, all) => {
    const groups = zoneGroups(endpoints, own)
    return groups.length < 2 ? whole(endpoints, random, all) : new GroupedPicker(groups, random, policyOf)
  }
}

/** The own zone's part, and what goes elsewhere; one group where there is nothing to choose. */
function zoneGroups(endpoints: readonly Endpoint[], own: string): readonly Group[] {
  const here = endpoints.filter(({ instance }) => instance.zone === own)
  const elsewhere = endpoints.filter(({ instance }) => instance.zone !== own)
  if (here.length === 0 || elsewhere.length === 0) return [{ endpoints, share: 1 }]
  const zones = new Set(endpoints.map(({ instance }) => instance.zone))
  const kept = Math.min(1, (capacityOf(here) / capacityOf(endpoints)) * zones.size)
  const groups = [
    { endpoints: here, share: kept },
    { endpoints: elsewhere, share: 1 - kept },
  ]
  // The others stay within reach of retries, but get nothing of their own accord.
  return groups
}

function capacityOf(endpoints: readonly Endpoint[]): number {
  return endpoints.reduce((sum, { weight }) => sum + weight, 0)
}
