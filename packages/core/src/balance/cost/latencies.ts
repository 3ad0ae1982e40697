import type { Milliseconds } from '../../time/clock.ts'
import type { Endpoint, Outcome } from '../picker.ts'
import { costOf, type Reckoning, setCosts } from './cost-picker.ts'
import { fold, medianLatency } from './learned.ts'

/** An error counts as a request that ran into its time-out: so long at least, … */
const leastTimeoutMs: Milliseconds = 1000
/** … or so many times what requests usually take. */
const timeoutFactor = 4

/** What a request costs by how long answers took, in a mean that forgets. */
export class Latencies implements Reckoning {
  readonly #memoryMs: Milliseconds
  #timeoutMs = leastTimeoutMs
  #medianMs: Milliseconds = 0

  /** @param memoryMs answers are forgotten over so long */
  constructor(memoryMs: Milliseconds = 5000) {
    this.#memoryMs = memoryMs
  }

  ended({ learned }: Endpoint, outcome: Outcome, ms: Milliseconds): void {
    const took = outcome === 'failure' ? this.#timeoutMs : ms
    learned.sumMs += took
    learned.count += 1
    // Hope has made it cheap again: one answer that says otherwise is enough, no second full of them.
    if (learned.silentMs < this.#memoryMs || took <= learned.latencyMs || this.#medianMs === 0) return
    learned.latencyMs = took
    learned.cost = costOf(took / this.#medianMs)
  }

  reckon(endpoints: readonly Endpoint[], overMs: Milliseconds): void {
    const all = endpoints.map(({ learned }) => learned)
    if (overMs > 0) {
      const folding = { overMs, memoryMs: this.#memoryMs, usualMs: medianLatency(all) }
      for (const learned of all) fold(learned, folding)
    }
    this.#medianMs = medianLatency(all)
    this.#timeoutMs = Math.max(leastTimeoutMs, timeoutFactor * this.#medianMs)
    setCosts(all, this.#medianMs)
  }
}
