import type { Milliseconds } from '../../time/clock.ts'
import type { Endpoint, Outcome } from '../picker.ts'
import { type Reckoning, setCosts } from './cost-picker.ts'
import { fold, medianLatency } from './learned.ts'

/** An error counts as a request that ran into its time-out: so long at least, … */
const leastTimeoutMs: Milliseconds = 1000
/** … or so many times what requests usually take. */
const timeoutFactor = 4

/** What a request costs by how long answers took, in a mean that forgets. */
export class Latencies implements Reckoning {
  readonly #memoryMs: Milliseconds
  #timeoutMs = leastTimeoutMs

  /** @param memoryMs answers are forgotten over so long */
  constructor(memoryMs: Milliseconds = 5000) {
    this.#memoryMs = memoryMs
  }

  ended({ learned }: Endpoint, outcome: Outcome, ms: Milliseconds): void {
    learned.sumMs += outcome === 'failure' ? this.#timeoutMs : ms
    learned.count += 1
  }

  reckon(endpoints: readonly Endpoint[], overMs: Milliseconds): void {
    const all = endpoints.map(({ learned }) => learned)
    if (overMs > 0) for (const learned of all) fold(learned, overMs, this.#memoryMs)
    const median = medianLatency(all)
    this.#timeoutMs = Math.max(leastTimeoutMs, timeoutFactor * median)
    setCosts(all, median)
  }
}
