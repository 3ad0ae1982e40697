import type { Milliseconds } from '@portolan/core'

/** What came of one input: a class that {@link Fuzzer.run} counts. Anything unheard of is thrown instead. */
export type Outcome = string

/** Tries one input a seed: the same seed is the same input, always. */
export interface Fuzzer {
  readonly name: string
  /** The input, for who wants to see it. */
  input(seed: number): unknown
  run(seed: number): Promise<Outcome> | Outcome
  close(): Promise<void>
}

export interface Fuzzed {
  readonly name: string
  readonly from: number
  readonly runs: number
  readonly outcomes: ReadonlyMap<Outcome, number>
}

/** No input may take longer: whoever waits then waits for ever. */
const longestMs = 20_000

/**
 * Runs seeds from `from` on for so long.
 * @throws Error that names the seed and shows its input
 */
export async function fuzz(
  fuzzer: Fuzzer,
  from: number,
  ms: Milliseconds,
  most = Number.POSITIVE_INFINITY,
): Promise<Fuzzed> {
  const outcomes = new Map<Outcome, number>()
  const end = performance.now() + ms
  let seed = from
  for (; seed < from + most && performance.now() < end; seed++) {
    const outcome = await withinTime(fuzzer, seed)
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    // Sockets have their turn, and so has whoever wants to end this.
    if (seed % 256 === 0) await new Promise(setImmediate)
  }
  return { name: fuzzer.name, from, runs: seed - from, outcomes }
}

async function withinTime(fuzzer: Fuzzer, seed: number): Promise<Outcome> {
  let timer: NodeJS.Timeout | undefined
  try {
    const running = fuzzer.run(seed)
    if (typeof running === 'string') return running
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('it hangs')), longestMs)
    })
    return await Promise.race([running, late])
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    const input = JSON.stringify(fuzzer.input(seed))
    throw new Error(`${fuzzer.name}, seed ${seed}: ${why}\ninput: ${input}`, { cause: error })
  } finally {
    clearTimeout(timer)
  }
}

/** A line for each outcome, the most frequent one first. */
export function shown({ name, from, runs, outcomes }: Fuzzed): string {
  const rows = [...outcomes]
    .sort(([, a], [, b]) => b - a)
    .map(([outcome, times]) => `  ${times} × ${outcome}`)
  return [`${name}: seeds ${from} to ${from + runs - 1}`, ...rows].join('\n')
}
