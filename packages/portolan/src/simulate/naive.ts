import { diceFrom, type Endpoint, Lots, type Milliseconds, type Picker, type Policy } from '@portolan/core'

/** Of two estimates, the newer counts so much. */
const gain = 0.5
/** What it takes a server to be busy wherever: the pool of the scenarios. */
const usualWorkers = 4

/**
 * `1 / (latency × (1 + predicted load))` as the weights of a random choice, set anew each second: the formula as one
 * reads it, with a perfect forecast of each server's load. It is here to be seen collapsing: weights set the rate, latency
 * follows the queue a second later, and near saturation that loop has a gain above one. docs/balancing.md explains it.
 */
export function naiveWeights(): Policy {
  const known = new Map<Endpoint, Estimate>()
  return (endpoints, random) => {
    const dice = diceFrom(random)
    let lots = new Lots(endpoints.map(({ weight }) => weight))
    const picker: Picker = {
      pick: () => (endpoints.length === 0 ? undefined : endpoints[lots.draw(dice)]),
      ended(endpoint, _outcome, ms) {
        if (ms < 0) return
        const estimate = known.get(endpoint) ?? newEstimate()
        known.set(endpoint, estimate)
        estimate.sumMs += ms
        estimate.count += 1
      },
      refresh(overMs) {
        const weights = endpoints.map(endpoint => weightOf(known.get(endpoint), overMs))
        const seen = weights.filter(weight => weight > 0)
        const usual = seen.reduce((sum, weight) => sum + weight, 0) / Math.max(1, seen.length)
        if (seen.length > 0) lots = new Lots(weights.map(weight => (weight > 0 ? weight : usual)))
      },
    }
    return picker
  }
}

interface Estimate {
  latencyMs: Milliseconds
  sumMs: Milliseconds
  count: number
}

const newEstimate = (): Estimate => ({ latencyMs: 0, sumMs: 0, count: 0 })

function weightOf(estimate: Estimate | undefined, overMs: Milliseconds): number {
  if (estimate === undefined) return 0
  const { count } = estimate
  if (count > 0) {
    const mean = estimate.sumMs / count
    estimate.latencyMs += (estimate.latencyMs === 0 ? 1 : gain) * (mean - estimate.latencyMs)
    estimate.sumMs = 0
    estimate.count = 0
  }
  if (estimate.latencyMs === 0) return 0
  const load = (count * estimate.latencyMs) / (overMs * usualWorkers)
  return 1 / (estimate.latencyMs * (1 + Math.min(1, load)))
}
