import type { Milliseconds, Random } from '../../time/clock.ts'
import { Candidates } from '../drawing/candidates.ts'
import type { Endpoint, Outcome, PickContext, Picker } from '../picker.ts'
import type { Learned } from './learned.ts'

/** How a policy makes costs out of what it learns. */
export interface Reckoning {
  /** A pick is done; called for no cancelled one, and for a success only when its time is known. */
  ended(endpoint: Endpoint, outcome: Outcome, ms: Milliseconds): void
  /** Sets the cost of all, about once a second and whenever the set changes. */
  reckon(endpoints: readonly Endpoint[], overMs: Milliseconds): void
}

export interface Choices {
  /** Sets up to this size are compared whole. Default 8. */
  readonly scanUpTo?: number
  /** Three candidates up to this size, two beyond. Default 16. */
  readonly threeUpTo?: number
}

/** Of so many picks, one goes by weight alone: nobody is so dear that nothing more is learned of it. */
const trickle = 200

/**
 * Of a few endpoints drawn by weight, the one where a request is expected to be done first:
 * the smallest (in flight × mean weight / weight + 1) × cost.
 *
 * In flight is what this process knows without delay, and it falls with every request sent there, which keeps costs that
 * are a second old from ever making everybody rush to the same place; a few candidates instead of all keep many
 * balancers apart (M. Mitzenmacher, "How Useful Is Old Information?", IEEE Transactions on Parallel and Distributed
 * Systems 11(1), 2000). Where all are idle and cost the same, shares are exactly the weights': the first one drawn stays.
 */
export class CostPicker implements Picker {
  readonly #candidates: Candidates
  readonly #reckoning: Reckoning
  /** By index: mean weight / weight. */
  readonly #scale: Float64Array
  /** How many candidates a pick has; all of them when it is their number. */
  readonly #choices: number
  #sinceTrickle = 0

  /** @param endpoints two at least */
  constructor(endpoints: readonly Endpoint[], random: Random, reckoning: Reckoning, choices: Choices = {}) {
    const { scanUpTo = 8, threeUpTo = 16 } = choices
    const mean = endpoints.reduce((sum, { weight }) => sum + weight, 0) / endpoints.length
    const count = endpoints.length
    this.#candidates = new Candidates(endpoints, random)
    this.#reckoning = reckoning
    this.#scale = Float64Array.from(endpoints, ({ weight }) => mean / weight)
    this.#choices = count <= scanUpTo ? count : Math.min(count, count <= threeUpTo ? 3 : 2)
    reckoning.reckon(endpoints, 0)
  }

  pick(context?: PickContext): Endpoint | undefined {
    const tried = context?.tried
    if (tried !== undefined && tried.length > 0) return this.#pickUntried(tried) ?? this.pick()
    const { all } = this.#candidates
    const first = this.#candidates.draw()
    if (++this.#sinceTrickle >= trickle) {
      this.#sinceTrickle = 0
      return all[first]
    }
    return all[this.#choices === all.length ? this.#ofAll(first) : this.#ofSome(first)]
  }

  ended(endpoint: Endpoint, outcome: Outcome, ms: Milliseconds): void {
    if (outcome === 'failure' || (outcome === 'success' && ms >= 0))
      this.#reckoning.ended(endpoint, outcome, ms)
  }

  refresh(overMs: Milliseconds): void {
    this.#reckoning.reckon(this.#candidates.all, overMs)
  }

  #pickUntried(tried: readonly Endpoint[]): Endpoint | undefined {
    const first = this.#candidates.drawUntried(tried)
    if (first < 0) return undefined
    // The two may coincide, which costs a retry its second choice and nothing else.
    return this.#candidates.all[this.#better(first, this.#candidates.drawUntried(tried))]
  }

  #ofSome(first: number): number {
    let best = this.#better(first, this.#candidates.drawExcept(first))
    for (let more = this.#choices - 2; more > 0; more--) {
      best = this.#better(best, this.#candidates.drawExcept(best))
    }
    return best
  }

  /** From a random place on, so that equals take turns. */
  #ofAll(first: number): number {
    const count = this.#candidates.all.length
    let best = first
    let other = this.#candidates.dice.below(count)
    for (let step = 0; step < count; step++) {
      best = this.#better(best, other)
      other = other + 1 < count ? other + 1 : 0
    }
    return best
  }

  #better(best: number, other: number): number {
    return this.#expected(other) < this.#expected(best) ? other : best
  }

  #expected(index: number): number {
    const endpoint = this.#candidates.all[index] as Endpoint
    return (endpoint.inFlight * (this.#scale[index] ?? 1) + 1) * endpoint.learned.cost
  }
}

/** Latencies within this of the median, either way, are alike: chance alone would otherwise send all that is idle to one. */
const alike = 1.25
/** From here on they count in full. */
const apart = 1.5
const dearest = 10

/** Everybody's cost = latency / the median, within a tenth and ten; those of whom nothing is known: no better than the mean. */
export function setCosts(all: readonly Learned[], medianMs: Milliseconds): void {
  let sum = 0
  let known = 0
  for (const learned of all) {
    if (learned.latencyMs === 0 || medianMs === 0) continue
    learned.cost = costOf(learned.latencyMs / medianMs)
    sum += learned.cost
    known += 1
  }
  const usual = known === 0 ? 1 : Math.max(1, sum / known)
  for (const learned of all) if (learned.latencyMs === 0) learned.cost = usual
}

/** @param ratio latency / the median latency */
export function costOf(ratio: number): number {
  return ratio < 1 ? 1 / dearness(1 / ratio) : dearness(ratio)
}

/** @param ratio 1 or more */
function dearness(ratio: number): number {
  if (ratio <= alike) return 1
  if (ratio >= apart) return Math.min(dearest, ratio)
  return 1 + ((ratio - alike) / (apart - alike)) * (apart - 1)
}
