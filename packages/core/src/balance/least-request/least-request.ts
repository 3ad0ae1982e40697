import type { Random } from '../../time/clock.ts'
import { Candidates } from '../drawing/candidates.ts'
import { type Endpoint, type PickContext, type Picker, type Policy, trivialPicker } from '../picker.ts'

export interface LeastRequestOptions {
  /** Sets up to this size are compared whole, larger ones by two random candidates. Default 8. */
  readonly scanUpTo?: number
}

/**
 * The endpoint with the fewest requests in flight for its weight, of two random ones: the power of two choices.
 * M. Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", IEEE Transactions on Parallel and
 * Distributed Systems 12(10), 2001: the second choice shrinks the longest queue exponentially, a third one hardly
 * more; and unlike the least of all, two random ones do not make many callers rush to the same endpoint.
 *
 * With weights, the first candidate is drawn by weight, so that an idle service is used by weight, and gives way
 * only to one that is less loaded *with* the request than the first is without it:
 * (inFlight + 1) / weight ≤ inFlight / weight of the first. At equal weights that is the classic rule. Comparing
 * (inFlight + 1) / weight on both sides instead would starve the lighter endpoints until the heavy ones are busy,
 * and candidates that are drawn regardless of weight would flood them whenever both are light.
 */
export function leastRequest(options: LeastRequestOptions = {}): Policy {
  const scanUpTo = options.scanUpTo ?? 8
  return (endpoints, random) => {
    const trivial = trivialPicker(endpoints)
    if (trivial !== undefined) return trivial
    return endpoints.length <= scanUpTo ? new FullScan(endpoints, random) : new TwoChoices(endpoints, random)
  }
}

/** Whether the request would leave `challenger` no more loaded than `first` is without it. */
function isBetter(challenger: Endpoint, first: Endpoint): boolean {
  return (challenger.inFlight + 1) * first.weight <= first.inFlight * challenger.weight
}

class TwoChoices implements Picker {
  readonly #candidates: Candidates

  constructor(endpoints: readonly Endpoint[], random: Random) {
    this.#candidates = new Candidates(endpoints, random)
  }

  pick(context?: PickContext): Endpoint | undefined {
    const tried = context?.tried
    if (tried !== undefined && tried.length > 0) return this.#pickUntried(tried) ?? this.pick()
    const index = this.#candidates.draw()
    return this.#lighter(index, this.#candidates.drawExcept(index))
  }

  #pickUntried(tried: readonly Endpoint[]): Endpoint | undefined {
    const index = this.#candidates.drawUntried(tried)
    // The two may coincide, which costs a retry its second choice and nothing else.
    return index < 0 ? undefined : this.#lighter(index, this.#candidates.drawUntried(tried))
  }

  #lighter(index: number, other: number): Endpoint | undefined {
    const { all } = this.#candidates
    const first = all[index]
    const challenger = all[other]
    if (first === undefined || challenger === undefined) return first
    return isBetter(challenger, first) ? challenger : first
  }
}

class FullScan implements Picker {
  readonly #candidates: Candidates

  constructor(endpoints: readonly Endpoint[], random: Random) {
    this.#candidates = new Candidates(endpoints, random)
  }

  pick(context?: PickContext): Endpoint | undefined {
    const tried = context?.tried
    if (tried === undefined || tried.length === 0) {
      return this.#leastLoaded(this.#candidates.draw(), undefined)
    }
    const index = this.#candidates.drawUntried(tried)
    return index < 0 ? this.pick() : this.#leastLoaded(index, tried)
  }

  #leastLoaded(index: number, tried: readonly Endpoint[] | undefined): Endpoint | undefined {
    const { all, dice } = this.#candidates
    const first = all[index]
    if (first === undefined || first.inFlight === 0) return first
    let best: Endpoint | undefined
    // A random start, so that equals take turns.
    const start = dice.below(all.length)
    for (let step = 0; step < all.length; step++) {
      const other = all[(start + step) % all.length]
      if (other === undefined || tried?.includes(other)) continue
      if (best === undefined || load(other) < load(best)) best = other
    }
    return best !== undefined && isBetter(best, first) ? best : first
  }
}

/** What an endpoint carries for its weight, with one more request. */
function load(endpoint: Endpoint): number {
  return (endpoint.inFlight + 1) / endpoint.weight
}
