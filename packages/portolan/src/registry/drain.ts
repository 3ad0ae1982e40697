import { type Instance, type InstanceName, isDraining, withCause } from '@portolan/core'
import type { CauseJournal } from './journal.ts'
import type { RegistryState } from './state.ts'
import type { Timers } from './timers.ts'
import type { Views } from './views.ts'

/** The owner of the cause `draining`. */
export const drainOwner = 'drain'

export interface DrainParts {
  readonly state: RegistryState
  readonly journal: CauseJournal
  readonly views: Views
  readonly timers: Timers
}

/**
 * Takes an instance out of traffic and waits until everybody who picks has let go of it (true): picks by a set in
 * which it drains, and has no request under way to it. Or until the grace time is over (false). Who merely looks on is
 * not waited for; the cause stays until the instance leaves, begins a new run, or somebody lifts it: then this is
 * false, too.
 */
export async function drain(
  parts: DrainParts,
  name: InstanceName,
  by: string,
  graceMs: number,
): Promise<boolean> {
  const { state, journal, views, timers } = parts
  const cause = {
    kind: 'draining',
    owner: drainOwner,
    reason: `drained by ${by}`,
    since: timers.timeOfDay(),
  } as const
  await journal.edit(name, causes => withCause(causes, cause))
  const service = state.service(name)
  const grace = new AbortController()
  const cancel = timers.after(graceMs, () => grace.abort())
  try {
    const { revision } = service
    const incarnation = state.slot(name)?.instance?.incarnation ?? 0
    const released = await views.released(service, { id: name.id, incarnation, revision }, grace.signal)
    return released && !takesTraffic(state.slot(name)?.instance)
  } finally {
    cancel()
  }
}

/** Whether a drain has come to nothing: the instance is there, and is not drained any more. */
export function takesTraffic(instance: Instance | undefined): boolean {
  return instance !== undefined && !isDraining(instance)
}
