import { type Cause, withCause, withoutCause } from '@portolan/core'
import type { EditCauses } from './journal.ts'

/** The owner of the cause that restored instances carry until somebody has heard of them. */
export const restart = 'restart'

/** Sets `disconnected`: nobody vouches for the instance any more, as far as `owner` is concerned. */
export function disconnect(owner: string, reason: string, since: string): EditCauses {
  return causes => withCause(causes, { kind: 'disconnected', owner, reason, since })
}

/** Lifts what one owner said. */
export function lift(kind: Cause['kind'], owner: string): EditCauses {
  return causes => withoutCause(causes, kind, owner)
}

/**
 * Lifts every `disconnected` after a sign of life, but those of sessions that are silent even now: that a
 * supervisor answers does not prove that its program does.
 */
export function reconnect(isSilent: (session: string) => boolean): EditCauses {
  return causes => {
    const rest = causes.filter(({ kind, owner }) => kind !== 'disconnected' || isSilent(owner))
    return rest.length === causes.length ? causes : rest
  }
}
