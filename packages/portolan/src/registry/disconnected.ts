import { type Cause, withCause, withoutCause } from '@portolan/core'
import type { EditCauses } from './journal.ts'

/** The owner of the cause that restored instances carry until somebody has heard of them. */
export const restart = 'restart'

/** Why nobody vouches for an instance any more. Stored with the cause, so that a restart knows silence when it sees it. */
export const disconnections = {
  silent: 'its session does not answer',
  closed: 'its session closed without a goodbye',
  closedSilent: 'its session fell silent, then closed',
  restarted: 'not heard of since the registry started',
} as const

/** Sets `disconnected`: nobody vouches for the instance any more, as far as `owner` is concerned. */
export function disconnect(owner: string, because: keyof typeof disconnections, since: string): EditCauses {
  const cause = { kind: 'disconnected', owner, reason: disconnections[because], since } as const
  return causes => withCause(causes, cause)
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
  return causes => kept(causes, ({ kind, owner }) => kind !== 'disconnected' || isSilent(owner))
}

/** Lifts what a look at the instance disproves: an answer in its own protocol, all of it; a bare connection, no silence. */
export function seen(by: 'spoke' | 'answered'): EditCauses {
  return causes =>
    kept(causes, cause => cause.kind !== 'disconnected' || (by === 'answered' && isSilence(cause)))
}

function isSilence({ reason }: Cause): boolean {
  return reason === disconnections.silent || reason === disconnections.closedSilent
}

function kept(causes: readonly Cause[], isKept: (cause: Cause) => boolean): readonly Cause[] {
  const rest = causes.filter(isKept)
  return rest.length === causes.length ? causes : rest
}
