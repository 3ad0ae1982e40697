import type { Random } from '../../time/clock.ts'
import { EdfHeap } from '../drawing/edf-heap.ts'
import { allEqual } from '../drawing/lots.ts'
import { type Endpoint, type PickContext, type Picker, type Policy, trivialPicker } from '../picker.ts'

/**
 * Smooth weighted round-robin: each endpoint gets its turns at even distances, as often as its weight says.
 * Equal weights are a ring (constant time), others a heap of deadlines (logarithmic; see {@link EdfHeap}).
 *
 * The start is random, so that many callers that start together do not walk in step; and turns survive set changes:
 * an endpoint that stays is as near to its next turn as it was, a new one enters at a random place.
 */
export function roundRobin(): Policy {
  let last: Schedule = new Ring([])
  return (endpoints, random) => {
    const weights = endpoints.map(endpoint => endpoint.weight)
    const isRing = allEqual(weights)
    if (isRing && last instanceof Ring) last = last.changed(endpoints, random)
    else {
      const turns = last.turns()
      const ahead = endpoints.map(endpoint => turns.get(endpoint) ?? random())
      last = isRing ? Ring.by(endpoints, ahead) : new Deadlines(endpoints, weights, ahead)
    }
    return trivialPicker(endpoints) ?? last
  }
}

/** A picker that knows how near everybody's next turn is. */
interface Schedule extends Picker {
  /** By endpoint, how much of the time between two of its turns is left until its next: about 0 to 1. */
  turns(): ReadonlyMap<Endpoint, number>
}

class Ring implements Schedule {
  readonly #order: Endpoint[]
  #next = 0

  /** @param order which has the next turn first */
  constructor(order: Endpoint[]) {
    this.#order = order
  }

  static by(endpoints: readonly Endpoint[], ahead: readonly number[]): Ring {
    const placed = endpoints.map((endpoint, index) => ({ endpoint, ahead: ahead[index] ?? 0 }))
    return new Ring(placed.sort((a, b) => a.ahead - b.ahead).map(({ endpoint }) => endpoint))
  }

  /** For another set, without sorting those that stay. */
  changed(endpoints: readonly Endpoint[], random: Random): Ring {
    const added = new Set(endpoints)
    const stay: Endpoint[] = []
    for (let step = 0; step < this.#order.length; step++) {
      const endpoint = this.#order[(this.#next + step) % this.#order.length]
      if (endpoint !== undefined && added.delete(endpoint)) stay.push(endpoint)
    }
    const entering = [...added]
      .map(endpoint => ({ endpoint, before: random() * (stay.length + 1) }))
      .sort((a, b) => a.before - b.before)
    const order: Endpoint[] = []
    let next = 0
    for (let place = 0; place <= stay.length; place++) {
      for (; (entering[next]?.before ?? Number.POSITIVE_INFINITY) < place + 1; next++) {
        order.push((entering[next] as { endpoint: Endpoint }).endpoint)
      }
      const endpoint = stay[place]
      if (endpoint !== undefined) order.push(endpoint)
    }
    return new Ring(order)
  }

  pick(context?: PickContext): Endpoint | undefined {
    const tried = context?.tried
    if (tried !== undefined && tried.length > 0) this.#bringForward(tried)
    const picked = this.#order[this.#next]
    this.#next = this.#next + 1 < this.#order.length ? this.#next + 1 : 0
    return picked
  }

  /** Swaps the next endpoint with the first untried one: it keeps its turn for another request. */
  #bringForward(tried: readonly Endpoint[]): void {
    const order = this.#order
    for (let step = 0; step < order.length && step <= tried.length; step++) {
      const place = (this.#next + step) % order.length
      const candidate = order[place]
      const next = order[this.#next]
      if (candidate === undefined || next === undefined || tried.includes(candidate)) continue
      order[place] = next
      order[this.#next] = candidate
      return
    }
  }

  turns(): ReadonlyMap<Endpoint, number> {
    const count = this.#order.length
    return new Map(
      this.#order.map((endpoint, place) => [endpoint, ((place - this.#next + count) % count) / count]),
    )
  }
}

class Deadlines implements Schedule {
  readonly #endpoints: readonly Endpoint[]
  readonly #heap: EdfHeap

  constructor(endpoints: readonly Endpoint[], weights: readonly number[], ahead: readonly number[]) {
    this.#endpoints = endpoints
    this.#heap = new EdfHeap(weights, ahead)
  }

  pick(context?: PickContext): Endpoint | undefined {
    const tried = context?.tried
    const place = tried === undefined || tried.length === 0 ? 0 : this.#firstUntried(tried)
    return this.#endpoints[this.#heap.take(place)]
  }

  /** The topmost untried one is not always the very next, but always among the next; the tried keep their turns. */
  #firstUntried(tried: readonly Endpoint[]): number {
    for (let place = 0; place <= tried.length; place++) {
      const candidate = this.#endpoints[this.#heap.indexAt(place)]
      if (candidate === undefined) return 0
      if (!tried.includes(candidate)) return place
    }
    return 0
  }

  turns(): ReadonlyMap<Endpoint, number> {
    const ahead = this.#heap.ahead()
    return new Map(this.#endpoints.map((endpoint, index) => [endpoint, ahead[index] ?? 0]))
  }
}
