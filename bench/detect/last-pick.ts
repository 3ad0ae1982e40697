import type { LastPicks } from '../../test/faults/consumers.ts'
import { quantile, round } from '../row.ts'

/** One fault: milliseconds until each kind of consumer had picked the victim for the last time; undefined = never. */
export type Repetition = LastPicks | undefined

const latestOf = ({ pick, fetch, gateway }: LastPicks): number => Math.max(pick, fetch, gateway)

export function figuresOf(times: readonly number[]) {
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
