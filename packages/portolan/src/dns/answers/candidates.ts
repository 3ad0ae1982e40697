import { eligible, type Instance, levelShares, priorityOf } from '@portolan/core'
import type { KnownService } from '../directory/directory.ts'
import { matches } from '../names/matching.ts'
import type { ServiceMeaning } from '../names/meaning.ts'
import { sayableAddresses } from '../names/target.ts'

/** An instance that may be named, and its share of first places. */
export interface Candidate {
  readonly instance: Instance
  /** Greater than 0. */
  readonly weight: number
}

/** Those that a name asks for. */
export interface Candidates {
  /** Those that may be picked: what a picker would pick among that has these instances alone, in panic too. */
  readonly usable: readonly Candidate[]
  readonly all: readonly Candidate[]
}

export function candidatesOf(known: KnownService, meaning: ServiceMeaning): Candidates {
  const { instances } = known.set
  const all = instances.filter(instance => hasAddress(instance) && matches(instance, meaning)).map(candidate)
  // With a filter, health is that of the filtered ones: nobody is sent to a zone's ill instances for another zone's sake.
  const usable =
    all.length === instances.length ? known.eligible.map(candidate) : eligible<Candidate>(all).endpoints
  return { usable, all }
}

function candidate(instance: Instance): Candidate {
  return { instance, weight: instance.weight }
}

function hasAddress(instance: Instance): boolean {
  return sayableAddresses(instance).length > 0
}

/**
 * For records that know no priority: the weights that give each level of it what pickers give to it. A later level is left
 * out while the earlier ones can bear everything.
 */
export function sharedByLevels({ usable, all }: Candidates): readonly Candidate[] {
  const levels = levelShares(usable, all, priorityOf)
  if (levels.length < 2) return usable
  return levels.flatMap(({ endpoints, share }) => {
    const sum = endpoints.reduce((total, { weight }) => total + weight, 0)
    const part = share / sum
    return part > 0 ? endpoints.map(({ instance, weight }) => ({ instance, weight: weight * part })) : []
  })
}
