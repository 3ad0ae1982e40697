import { monotonicMs, sleep } from '../../test/faults/monotonic.ts'
import { quantile, round } from '../row.ts'
import type { Consumers, LastPicks, Member } from './world.ts'

/** One fault: milliseconds until each kind of consumer had picked the victim for the last time; undefined = never. */
export type Repetition = LastPicks | undefined

/** How long nobody may pick the victim until a pick counts as the last. */
const quietMs = 1000

/** Waits for the last pick after a fault at `at`. */
export async function lastPicks(
  consumers: Consumers,
  victim: Member,
  at: number,
  withinMs: number,
): Promise<Repetition> {
  for (;;) {
    await sleep(50)
    const asked = monotonicMs()
    const last = await consumers.last(victim)
    const since = (moment: number): number => Math.max(0, moment - at)
    const newest = Math.max(last.pick, last.fetch, last.gateway)
    if (newest === 0) throw new Error(`nobody has ever picked ${victim.id}: it is not in traffic`)
    if (asked - Math.max(newest, at) > quietMs) {
      return { pick: since(last.pick), fetch: since(last.fetch), gateway: since(last.gateway) }
    }
    if (asked - at > withinMs) return undefined
  }
}

const latestOf = ({ pick, fetch, gateway }: LastPicks): number => Math.max(pick, fetch, gateway)

function figuresOf(times: readonly number[]) {
  return {
    p50: round(quantile(times, 0.5), 1),
    p99: round(quantile(times, 0.99), 1),
    max: round(Math.max(...times), 1),
  }
}

/** p50, p99 and max of the last pick by anybody, and by each kind of consumer. */
export function summary(repetitions: readonly Repetition[]) {
  const seen = repetitions.filter(repetition => repetition !== undefined)
  const missed = repetitions.length - seen.length
  const never = missed === 0 ? {} : { neverNoticed: missed }
  if (seen.length === 0) return { repetitions: repetitions.length, ...never }
  return {
    repetitions: repetitions.length,
    ...never,
    ...figuresOf(seen.map(latestOf)),
    byKind: {
      sdkPick: figuresOf(seen.map(({ pick }) => pick)),
      sdkFetch: figuresOf(seen.map(({ fetch }) => fetch)),
      gateway: figuresOf(seen.map(({ gateway }) => gateway)),
    },
  }
}

/** The row's value; a fault that was never noticed has no p99. */
export function p99(repetitions: readonly Repetition[]): number {
  const times = repetitions.map(repetition => (repetition === undefined ? Infinity : latestOf(repetition)))
  const value = quantile(times, 0.99)
  if (!Number.isFinite(value)) throw new Error(`not noticed at all: ${JSON.stringify(summary(repetitions))}`)
  return round(value, 2)
}
