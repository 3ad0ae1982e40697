import type { Milliseconds, Random } from '../../time/clock.ts'
import type { Endpoint, Outcome, PickContext, Picker, Policy } from '../picker.ts'

export interface SlowStartOptions {
  /** How long an instance takes to its full weight, while there are requests; 0 = none. Default 30 s. */
  readonly rampMs?: Milliseconds
  /** The part of its weight that it begins with. Default 0.1. */
  readonly from?: number
}

/** How long a new instance takes to its full weight where nothing else is said. */
export const slowStartDefaultMs: Milliseconds = 30_000

/** A ramp has so many steps: each makes a new picker, and some policies build tables for it. */
const steps = 10

/**
 * New instances come in slowly: caches are cold, code is not compiled yet, connections are still to be made. The weight
 * rises from a tenth to the whole within 30 s; but where many are new at once they begin higher, at their part of the
 * pool: three old ones must not carry seventeen new ones. Who was here before (out for a while, and back) is not new, and
 * neither is the first set that a process sees.
 */
export function slowStart(inner: Policy, options: SlowStartOptions = {}): Policy {
  const { rampMs = slowStartDefaultMs, from = 0.1 } = options
  if (rampMs <= 0) return inner
  const known = new WeakSet<Endpoint>()
  /** Those that are on their way, and how far. */
  const ages = new Map<Endpoint, Milliseconds>()
  let isFirst = true
  return (endpoints, random, all = endpoints) => {
    for (const endpoint of endpoints) {
      if (known.has(endpoint)) continue
      known.add(endpoint)
      if (!isFirst) ages.set(endpoint, 0)
    }
    if (endpoints.length > 0) isFirst = false
    const present = new Set(all)
    for (const endpoint of ages.keys()) if (!present.has(endpoint)) ages.delete(endpoint)
    if (!endpoints.some(endpoint => ages.has(endpoint))) return inner(endpoints, random, all)
    return new Ramping({ inner, random, endpoints, all, ages, rampMs, from })
  }
}

interface Ramp {
  readonly inner: Policy
  readonly random: Random
  readonly endpoints: readonly Endpoint[]
  readonly all: readonly Endpoint[]
  readonly ages: Map<Endpoint, Milliseconds>
  readonly rampMs: Milliseconds
  readonly from: number
}

class Ramping implements Picker {
  readonly #ramp: Ramp
  /** By endpoint on its way: the step that its weight stands at. */
  readonly #steps = new Map<Endpoint, number>()
  #picker: Picker

  constructor(ramp: Ramp) {
    this.#ramp = ramp
    this.#climb()
    this.#picker = this.#build()
  }

  pick(context?: PickContext): Endpoint | undefined {
    return this.#picker.pick(context)
  }

  claimed(endpoint: Endpoint): void {
    this.#picker.claimed?.(endpoint)
  }

  ended(endpoint: Endpoint, outcome: Outcome, ms: Milliseconds): void {
    this.#picker.ended?.(endpoint, outcome, ms)
  }

  refresh(overMs: Milliseconds): void {
    const { ages } = this.#ramp
    for (const [endpoint, age] of ages) ages.set(endpoint, age + overMs)
    this.#picker.refresh?.(overMs)
    if (this.#climb()) this.#picker = this.#build()
  }

  /** Whether anybody has come to another step. */
  #climb(): boolean {
    const { endpoints, ages, rampMs, from } = this.#ramp
    const fresh = endpoints.filter(endpoint => ages.has(endpoint)).length
    const lowest = Math.max(from, fresh / endpoints.length)
    let hasChanged = false
    for (const endpoint of endpoints) {
      const age = ages.get(endpoint)
      if (age === undefined) continue
      const step = Math.min(steps, Math.floor((age / rampMs) * steps))
      if (step === steps) ages.delete(endpoint)
      if (this.#steps.get(endpoint) === step) continue
      this.#steps.set(endpoint, step)
      endpoint.weight = endpoint.instance.weight * (lowest + (1 - lowest) * (step / steps))
      hasChanged = true
    }
    return hasChanged
  }

  #build(): Picker {
    const { inner, endpoints, random, all } = this.#ramp
    return inner(endpoints, random, all)
  }
}
