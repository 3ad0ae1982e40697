import type { Instance } from '@portolan/core'

/**
 * Walks two lists ordered by id, and tells of each instance that is not the same object in both: what it was and what it
 * is, one of them `undefined` where it came or went.
 */
export function eachChange(
  before: readonly Instance[],
  after: readonly Instance[],
  tell: (was: Instance | undefined, is: Instance | undefined) => void,
): void {
  let old = 0
  for (const is of after) {
    let was = before[old]
    for (; was !== undefined && was.id < is.id; was = before[++old]) tell(was, undefined)
    const isSame = was !== undefined && was.id === is.id
    if (isSame) old++
    if (was !== is) tell(isSame ? was : undefined, is)
  }
  for (; old < before.length; old++) tell(before[old], undefined)
}
