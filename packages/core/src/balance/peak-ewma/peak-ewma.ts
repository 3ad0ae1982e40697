import type { Milliseconds } from '../../time/clock.ts'
import { CostPicker, costOf, type Reckoning, setCosts } from '../cost/cost-picker.ts'
import { fold, medianLatency } from '../cost/learned.ts'
import { type Endpoint, type Outcome, type Policy, trivialPicker } from '../picker.ts'

export interface PeakEwmaOptions {
  /** A peak is forgotten over so long. Default 10 s. */
  readonly memoryMs?: Milliseconds
}

/** What an error counts as, where no answer takes longer. */
const errorMs: Milliseconds = 1000

/**
 * What is in flight, times how long answers take there, of two candidates; and one answer that takes longer than that
 * counts at once and in full, while better ones are believed only over ten seconds. After Finagle's `PeakEwma` (Twitter,
 * 2013; also Linkerd's): careful of who has just stumbled, at the price of believing chance.
 */
export function peakEwma({ memoryMs = 10_000 }: PeakEwmaOptions = {}): Policy {
  const reckoning = new Peaks(memoryMs)
  return (endpoints, random) =>
    trivialPicker(endpoints) ?? new CostPicker(endpoints, random, reckoning, { scanUpTo: 2, threeUpTo: 2 })
}

class Peaks implements Reckoning {
  readonly #memoryMs: Milliseconds
  #medianMs: Milliseconds = 0

  constructor(memoryMs: Milliseconds) {
    this.#memoryMs = memoryMs
  }

  ended({ learned }: Endpoint, outcome: Outcome, ms: Milliseconds): void {
    const took = outcome === 'failure' ? Math.max(errorMs, learned.latencyMs) : ms
    learned.sumMs += took
    learned.count += 1
    if (took <= learned.latencyMs || learned.latencyMs === 0) return
    learned.latencyMs = took
    if (this.#medianMs > 0) learned.cost = Math.max(learned.cost, costOf(took / this.#medianMs))
  }

  reckon(endpoints: readonly Endpoint[], overMs: Milliseconds): void {
    const all = endpoints.map(({ learned }) => learned)
    if (overMs > 0) {
      const folding = { overMs, memoryMs: this.#memoryMs, usualMs: medianLatency(all) }
      for (const learned of all) fold(learned, folding)
    }
    this.#medianMs = medianLatency(all)
    setCosts(all, this.#medianMs)
  }
}
