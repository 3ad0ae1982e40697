import { describe, expect, it } from 'vitest'
import { type PolicyName, policyByName } from '../balance/policies.ts'
import { anInstance, aSet } from '../balance/testing/sets.ts'
import { type Milliseconds, type Random, seededRandom } from '../time/clock.ts'
import { LocalBalancer } from './local-balancer.ts'
import type { OutlierSettings } from './settings.ts'
import { HandClock } from './testing/world.ts'

interface Scene {
  readonly instances: number
  readonly consumers: number
  /** Requests a second, all consumers together. */
  readonly rate: number
  readonly seconds: number
  readonly policy: PolicyName
  readonly outliers?: Partial<OutlierSettings>
  /** How long the instance works at a request, and whether it answers well. */
  readonly serve: (
    id: string,
    now: Milliseconds,
    random: Random,
  ) => { readonly ms: Milliseconds; readonly ok: boolean }
}

interface Answer {
  readonly consumer: number
  readonly id: string
  readonly at: Milliseconds
  readonly ms: Milliseconds
  readonly ok: boolean
}

/** Consumers that each have a balancer of their own, over instances whose answers take as long as they take. */
function simulate(scene: Scene): {
  readonly answers: readonly Answer[]
  readonly balancers: readonly LocalBalancer[]
} {
  const { instances, consumers, rate, seconds, policy, outliers = {}, serve } = scene
  const clock = new HandClock()
  const random = seededRandom(11)
  const set = aSet(Array.from({ length: instances }, (_, index) => anInstance(`i-${index}`)))
  const balancers = Array.from({ length: consumers }, () => {
    const balancer = new LocalBalancer({
      policy: policyByName(policy),
      random,
      clock,
      outliers,
      suspect: () => {},
    })
    balancer.update(set)
    return balancer
  })
  const events = new Agenda()
  const answers: Answer[] = []

  const arrive = (): void => {
    events.add(clock.at - (1000 / rate) * Math.log(1 - random()), arrive)
    const consumer = Math.floor(random() * consumers)
    const balancer = balancers[consumer]
    const endpoint = balancer?.pick()
    if (balancer === undefined || endpoint === undefined) throw new Error('nobody to ask')
    const { id } = endpoint
    const begun = clock.at
    const { ms, ok } = serve(id, begun, random)
    events.add(begun + ms, () => {
      const took = clock.at - begun
      if (ok) balancer.succeeded(endpoint, took)
      else balancer.failed(endpoint, 'response', 500)
      answers.push({ consumer, id, at: begun, ms: took, ok })
    })
  }
  const beat = (): void => {
    for (const balancer of balancers) balancer.sweep()
    events.add(clock.at + 1000, beat)
  }
  const release = (): void => {
    for (const balancer of balancers) balancer.release()
    events.add(clock.at + 50, release)
  }
  for (const begin of [arrive, beat, release]) events.add(0, begin)
  events.run(seconds * 1000, clock)
  return { answers, balancers }
}

/** Events in the order of their time: a binary heap. */
class Agenda {
  readonly #heap: { readonly at: Milliseconds; readonly run: () => void }[] = []

  add(at: Milliseconds, run: () => void): void {
    const heap = this.#heap
    let index = heap.push({ at, run }) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (this.#at(parent) <= at) break
      this.#swap(index, parent)
      index = parent
    }
  }

  run(until: Milliseconds, clock: HandClock): void {
    for (let next = this.#take(); next !== undefined && next.at <= until; next = this.#take()) {
      clock.at = next.at
      next.run()
    }
  }

  #take() {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (heap.length === 0 || last === undefined) return first
    heap[0] = last
    for (let index = 0; ; ) {
      const left = 2 * index + 1
      const least = this.#at(left + 1) < this.#at(left) ? left + 1 : left
      if (this.#at(least) >= this.#at(index)) return first
      this.#swap(index, least)
      index = least
    }
  }

  #at(index: number): number {
    return this.#heap[index]?.at ?? Number.POSITIVE_INFINITY
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#heap[a], this.#heap[b]]
    if (first === undefined || second === undefined) return
    this.#heap[a] = second
    this.#heap[b] = first
  }
}

const exponential = (mean: Milliseconds, random: Random): Milliseconds => -mean * Math.log(1 - random())

function quantile(answers: readonly Answer[], q: number): number {
  const sorted = answers.map(({ ms }) => ms).sort((a, b) => a - b)
  return Math.round(sorted[Math.floor(q * sorted.length)] ?? Number.NaN)
}

describe('an instance that begins to answer 500 to everything', () => {
  const failing: Scene = {
    instances: 5,
    consumers: 20,
    rate: 2000,
    seconds: 40,
    policy: 'least-request',
    serve: (id, now, random) => ({ ms: exponential(0.5, random), ok: id !== 'i-2' || now < 5000 }),
  }

  it('gets five requests of each consumer, and what was under way; then one on trial now and then', () => {
    const { answers } = simulate(failing)
    const failed = answers.filter(({ ok }) => !ok)
    const firsts: number[] = []
    for (let consumer = 0; consumer < failing.consumers; consumer++) {
      const own = failed.filter(answer => answer.consumer === consumer)
      const first = own[0]?.at ?? Number.NaN
      firsts.push(own.filter(({ at }) => at < first + 900).length)
      // Out for 1 s, 2 s, and then 4 s each time.
      expect(own.filter(({ at }) => at >= first + 900).length).toBeLessThanOrEqual(10)
    }
    expect(Math.max(...firsts)).toBeLessThanOrEqual(6)
    const answersOfOthers = answers.filter(({ id }) => id !== 'i-2')
    expect(answersOfOthers.every(({ ok }) => ok)).toBe(true)
  })

  it('would get a fifth and more of all requests without: fast errors attract', () => {
    const without = simulate({
      ...failing,
      seconds: 10,
      outliers: { consecutive5xx: 0, successDeviations: 0 },
    })
    const since = without.answers.filter(({ at }) => at >= 5000)
    expect(since.filter(({ ok }) => !ok).length / since.length).toBeGreaterThan(0.15)
  })
})

describe('an instance that fails half of its requests', () => {
  it('is found out by its success rate, though failures are seldom consecutive', () => {
    const { balancers, answers } = simulate({
      instances: 6,
      consumers: 1,
      rate: 600,
      seconds: 20,
      policy: 'least-request',
      serve: (id, now, random) => ({
        ms: exponential(1, random),
        ok: id !== 'i-2' || now < 5000 || random() < 0.7,
      }),
    })
    expect(balancers[0]?.ejections['success-rate']).toBeGreaterThan(0)
    const late = answers.filter(({ at }) => at > 12_000)
    expect(late.filter(({ ok }) => !ok).length / late.length).toBeLessThan(0.03)
  })
})

describe('an instance that is ten times as slow as its peers', () => {
  const slow = (policy: PolicyName, outliers: Partial<OutlierSettings> = {}) => {
    const { answers, balancers } = simulate({
      instances: 6,
      consumers: 4,
      rate: 1000,
      seconds: 60,
      policy,
      outliers,
      serve: (id, now, random) => ({
        ms: exponential(id === 'i-2' && now > 5000 ? 100 : 10, random),
        ok: true,
      }),
    })
    const late = answers.filter(({ at }) => at > 10_000 && at < 55_000)
    const share = late.filter(({ id }) => id === 'i-2').length / late.length
    const ejections = balancers.reduce((sum, balancer) => sum + balancer.ejections.latency, 0)
    return { share, p50: quantile(late, 0.5), p99: quantile(late, 0.99), ejections }
  }

  it('stays by default and gets a small share, where the policy goes by load', () => {
    const byLoad = slow('least-request')
    const byTurns = slow('random')
    console.info(`slow ×10, least-request: ${JSON.stringify(byLoad)}; random: ${JSON.stringify(byTurns)}`)
    expect(byLoad.ejections).toBe(0)
    expect(byTurns.share).toBeCloseTo(1 / 6, 2)
    expect(byLoad.share).toBeLessThan(byTurns.share / 3)
    expect(byLoad.p99).toBeLessThan(byTurns.p99 / 1.5)
  })

  it('is out for most of the time where latency is asked for, which helps policies that do not go by load', () => {
    const without = slow('random')
    const ejected = slow('random', { latencyFactor: 4, enoughRequests: 30 })
    const byLoad = slow('least-request', { latencyFactor: 4, enoughRequests: 30 })
    console.info(
      `slow ×10, out at ×4, random: ${JSON.stringify(ejected)}; least-request: ${JSON.stringify(byLoad)}`,
    )
    expect(ejected.ejections).toBeGreaterThan(0)
    expect(ejected.share).toBeLessThan(without.share / 2)
  })
})
