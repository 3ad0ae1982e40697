import { withCause, withoutCause } from '@portolan/core'
import type { EditCauses } from './journal.ts'
import type { Verdict } from './registry.ts'
import { incarnationOf } from './slot.ts'

/** The edit that a check's verdict asks for: nothing when the run that it speaks of is over. */
export function judged({ incarnation, owner, cause, started }: Verdict, since: string): EditCauses {
  return (causes, slot) => {
    if (incarnationOf(slot) !== incarnation) return causes
    const begun = started === true ? withoutCause(causes, 'starting', startingOwner) : causes
    if (cause === undefined) return begun
    if (cause.reason === undefined) return withoutCause(begun, cause.kind, owner)
    return withCause(begun, { kind: cause.kind, owner, reason: cause.reason, since })
  }
}

/** The owner of the cause that a new run carries until its first pass. */
export const startingOwner = 'health'
