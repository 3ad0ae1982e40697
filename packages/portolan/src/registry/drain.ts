import { type InstanceName, withCause } from '@portolan/core'
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
 * Takes an instance out of traffic and waits until everybody who acknowledges picks without it (true), or the grace
 * time is over (false). Streams that cannot acknowledge are not waited for; the cause stays until the instance
 * leaves or begins a new run.
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
    return await views.acknowledged(service, service.revision, grace.signal)
  } finally {
    cancel()
  }
}
