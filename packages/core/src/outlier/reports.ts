import type { Endpoint } from '../balance/picker.ts'
import type { Tally } from '../balance/tally.ts'
import type { InstanceOutcomes } from '../session/messages.ts'
import type { Milliseconds } from '../time/clock.ts'

/** A failure is told of at once, but of one instance no more often than this. */
export const suspectEveryMs: Milliseconds = 200

/** What is to be told of these endpoints: what has not been told before. Empty = nothing happened. */
export function untold(endpoints: readonly Endpoint[]): readonly InstanceOutcomes[] {
  const outcomes: InstanceOutcomes[] = []
  for (const endpoint of endpoints) {
    const { tally } = endpoint
    if (tally.ok !== tally.told.ok || tally.failed !== tally.told.failed) outcomes.push(tell(endpoint))
  }
  return outcomes
}

/** What is to be told at once, after a failure; undefined = it was told just now. */
export function suspicion(endpoint: Endpoint, now: Milliseconds): InstanceOutcomes | undefined {
  const { told } = endpoint.tally
  if (now - told.suspectAt < suspectEveryMs) return undefined
  told.suspectAt = now
  return tell(endpoint)
}

/** Nothing is told twice: the sum of what was told is what happened. */
function tell({ id, instance, tally }: Endpoint): InstanceOutcomes {
  const ok = tally.ok - tally.told.ok
  const failed = tally.failed - tally.told.failed
  tally.told.ok = tally.ok
  tally.told.failed = tally.failed
  const { incarnation } = instance
  return failed === 0
    ? { id, incarnation, ok, failed }
    : { id, incarnation, ok, failed, reason: reasonOf(tally) }
}

function reasonOf({ lastTrouble, lastStatus }: Tally): string {
  if (lastTrouble === 'response') return lastStatus === 0 ? 'no valid response' : `answered ${lastStatus}`
  return said[lastTrouble]
}

const said = {
  refused: 'connection refused',
  broken: 'connection failed',
  parted: 'connection ended',
  timeout: 'no answer in time',
} as const
