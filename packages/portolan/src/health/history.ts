import type { Milliseconds } from '@portolan/core'
import type { HealthEvent } from './health.ts'

/**
 * The last events of one instance, the newest last: when, by whom and what, one after the other in one array of just
 * that length. When a registry loses its network, 100,000 instances get an event each.
 */
export type History = readonly (Milliseconds | string)[]

/** So many events are kept. */
const kept = 32
const fields = 3

/** `at` = a mark of the time of day. The history with another event, the oldest left out where there are too many. */
export function noted(history: History | undefined, at: Milliseconds, by: string, what: string): History {
  if (history === undefined) return [at, by, what]
  return [...history.slice(-(kept - 1) * fields), at, by, what]
}

/** `timeOf` tells the time of day of such a mark. */
export function eventsOf(
  history: History | undefined,
  timeOf: (at: Milliseconds) => string,
): readonly HealthEvent[] {
  const events: HealthEvent[] = []
  for (let index = 0; index < (history?.length ?? 0); index += fields) {
    const [at, by, what] = history?.slice(index, index + fields) ?? []
    events.push({ at: timeOf(Number(at)), by: String(by), what: String(what) })
  }
  return events
}
