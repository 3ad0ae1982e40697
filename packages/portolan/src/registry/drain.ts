import {
  type Clock,
  type Instance,
  type InstanceName,
  isDraining,
  type Milliseconds,
  withCause,
} from '@portolan/core'
import type { Log } from '../observe/log.ts'
import type { CauseJournal } from './journal.ts'
import type { RegistryMetrics } from './metrics.ts'
import type { Picker } from './pickers.ts'
import type { RegistryState } from './state.ts'
import type { Timers } from './timers.ts'
import type { Views } from './views.ts'

/** The owner of the cause `draining`. */
export const drainOwner = 'drain'

export interface DrainParts {
  readonly state: RegistryState
  readonly journal: CauseJournal
  readonly views: Views
  readonly clock: Clock
  readonly timers: Timers
  readonly metrics: RegistryMetrics
  readonly log: Log
  /** Who picked before this registry's start has had the time to come back from then on. */
  readonly returnedAt: Milliseconds
  /** The store's newest revision at the start: nobody can have picked before it what came after. */
  readonly startedFrom: number
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
  const { state, journal, views, clock, timers, metrics } = parts
  const since = clock.now()
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
    const slot = state.slot(name)
    // Of the causes: other changes may have come since, of which those who have let go need say nothing.
    const revision = slot?.causes.revision ?? 0
    const letting = { id: name.id, incarnation: slot?.instance?.incarnation ?? 0, revision }
    const isOld = slot !== undefined && slot.record.revision <= parts.startedFrom
    if (isOld) await pause(timers, Math.min(graceMs, parts.returnedAt - clock.now()))
    const all = await views.released(service, letting, grace.signal)
    // Of those who have not come back, nobody knows.
    const isEarly = isOld && clock.now() < parts.returnedAt
    const released = all && !isEarly && !takesTraffic(state.slot(name)?.instance)
    metrics.drainSeconds.observe({ released: String(released) }, (clock.now() - since) / 1000)
    if (grace.signal.aborted) tellOwing(parts, name, views.owing(service, letting))
    return released
  } finally {
    cancel()
  }
}

function pause(timers: Timers, ms: Milliseconds): Promise<void> | undefined {
  return ms > 0 ? new Promise(resolve => timers.after(ms, () => resolve())) : undefined
}

/** Somebody wants to know who held up a deploy. */
function tellOwing({ log }: DrainParts, instance: InstanceName, owing: readonly Picker[]): void {
  const sessions = owing.slice(0, 10).map(({ name, owner, connection, acknowledged }) => ({
    name,
    owner,
    connected: connection !== undefined,
    acknowledged,
  }))
  log.warn({ instance, count: owing.length, sessions }, 'a drain ended before everybody had let go')
}

/** Whether a drain has come to nothing: the instance is there, and is not drained any more. */
export function takesTraffic(instance: Instance | undefined): boolean {
  return instance !== undefined && !isDraining(instance)
}
