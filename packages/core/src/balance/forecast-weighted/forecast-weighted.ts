import type { Instance } from '../../instance/instance.ts'
import type { Milliseconds } from '../../time/clock.ts'
import { CostPicker, type Reckoning } from '../cost/cost-picker.ts'
import { Latencies } from '../cost/latencies.ts'
import { type Endpoint, type Outcome, type Policy, trivialPicker } from '../picker.ts'

/** How busy an instance will be within the next minutes: 0 (idle) to 1 (all that it can do); undefined = nobody knows. */
export type Forecast = (instance: Instance) => number | undefined

/**
 * Weights 1 / (latency × (1 + predicted load)), in their stable form: not as the odds of a random choice, where they make
 * everybody rush to whoever was fast a second ago and collapse near saturation, but as what a request costs, beside what
 * is in flight, in a choice of two. docs/balancing.md shows both. Without a forecast it is nearly `adaptive`.
 */
export function forecastWeighted(forecast: Forecast = () => undefined): Policy {
  const reckoning = new Predicted(forecast)
  return (endpoints, random) =>
    trivialPicker(endpoints) ?? new CostPicker(endpoints, random, reckoning, { scanUpTo: 2, threeUpTo: 2 })
}

class Predicted implements Reckoning {
  readonly #latencies = new Latencies()
  readonly #forecast: Forecast

  constructor(forecast: Forecast) {
    this.#forecast = forecast
  }

  ended(endpoint: Endpoint, outcome: Outcome, ms: Milliseconds): void {
    this.#latencies.ended(endpoint, outcome, ms)
  }

  reckon(endpoints: readonly Endpoint[], overMs: Milliseconds): void {
    this.#latencies.reckon(endpoints, overMs)
    for (const { instance, learned } of endpoints) {
      const load = this.#forecast(instance) ?? 0
      // A forecast that is no number, or beyond what can be, must not decide anything by itself.
      learned.cost *= 1 + (load > 0 ? Math.min(1, load) : 0)
    }
  }
}
