import type { Milliseconds } from '../../time/clock.ts'
import { type Choices, CostPicker } from '../cost/cost-picker.ts'
import { Latencies } from '../cost/latencies.ts'
import { type Policy, trivialPicker } from '../picker.ts'

export interface AdaptiveOptions extends Choices {
  /** Answers are forgotten over so long. Default 5 s. */
  readonly memoryMs?: Milliseconds
}

/**
 * What is in flight, times how long answers take there: see {@link CostPicker} for the choice. The time is a mean over
 * seconds of what this process itself has waited, its queue and that of other callers included; so it grows where the
 * load does, and equal instances keep equal shares. An error counts as a time-out: what fails fast attracts nothing.
 */
export function adaptive(options: AdaptiveOptions = {}): Policy {
  const reckoning = new Latencies(options.memoryMs)
  return (endpoints, random) =>
    trivialPicker(endpoints) ?? new CostPicker(endpoints, random, reckoning, options)
}
