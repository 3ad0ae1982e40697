import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anInstance } from '../balance/testing/sets.ts'
import type { Instance } from '../instance/instance.ts'
import {
  applyLeaves,
  applyMessage,
  confirmedCount,
  markStale,
  nextLeave,
  type ServiceView,
  unknownView,
} from './service-view.ts'

const order = { namespace: 'default', service: 'order' }
const id = fc.constantFrom(...'abcdefghijkl')

/** What may happen between a registry and a subscriber. */
const event = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('put' as const), id }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('delete' as const), id }) },
  /** Changes while nobody is connected: the next snapshot tells. */
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('lose' as const), ids: fc.array(id), newEpoch: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('late-delta' as const), id }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(4000) }) },
)

/** A registry of one service, and one subscriber. */
class Model {
  readonly truth = new Map<string, Instance>()
  view: ServiceView = unknownView(order)
  now = 0
  #epoch = 1
  #revision = 1

  constructor() {
    this.#snapshot()
  }

  step(step: typeof event extends fc.Arbitrary<infer T> ? T : never): void {
    switch (step.kind) {
      case 'put': {
        const instance = anInstance(step.id, { incarnation: ++this.#revision })
        this.truth.set(step.id, instance)
        this.#delta([instance], [])
        return
      }
      case 'delete':
        this.#revision++
        this.truth.delete(step.id)
        this.#delta([], [step.id])
        return
      case 'lose':
        this.view = markStale(this.view)
        if (step.newEpoch) this.#epoch++
        this.#revision = step.newEpoch ? 1 : this.#revision + 1
        for (const lost of step.ids) this.truth.delete(lost)
        this.#snapshot()
        return
      case 'late-delta': {
        const before = this.view
        const cursor = `e${this.#epoch - 1}.1000000`
        this.view = applyMessage(
          before,
          { type: 'delta', ...order, cursor, put: [], gone: [{ id: step.id, reason: 'expired' }] },
          this.now,
        )
        expect(this.view).toBe(before)
        return
      }
      case 'wait':
        this.wait(step.ms)
    }
  }

  /** Lets time pass the way a subscriber does: from one step to the next. */
  wait(ms: number): void {
    const end = this.now + ms
    for (let at = nextLeave(this.view); at !== undefined && at <= end; at = nextLeave(this.view)) {
      this.now = at
      this.view = applyLeaves(this.view, at)
      this.check()
    }
    this.now = end
  }

  check(): void {
    const ids = this.view.set.instances.map(instance => instance.id)
    expect(ids).toEqual([...new Set(ids)].sort())
    for (const instance of this.truth.values()) expect(this.view.set.instances).toContain(instance)
    const extra = ids.filter(known => !this.truth.has(known))
    expect(this.view.leaving.map(leaving => leaving.id).sort()).toEqual(extra)
    expect(confirmedCount(this.view)).toBe(this.truth.size)
    expect(this.view.leaving.every(({ at }) => at > this.now && at <= this.now + 7500)).toBe(true)
    expect(structuredClone(this.view)).toEqual(this.view)
  }

  #snapshot(): void {
    const instances = [...this.truth.values()]
    this.view = applyMessage(
      this.view,
      { type: 'snapshot', ...order, cursor: this.#cursor(), instances },
      this.now,
    )
  }

  #delta(put: Instance[], gone: string[]): void {
    const departures = gone.map(one => ({ id: one, reason: 'goodbye' as const }))
    const cursor = this.#cursor()
    this.view = applyMessage(this.view, { type: 'delta', ...order, cursor, put, gone: departures }, this.now)
  }

  #cursor(): string {
    return `e${this.#epoch}.${this.#revision}`
  }
}

describe('a service view under any history', () => {
  it('holds what the registry holds and who is leaving, and nothing else; and in the end the registry alone', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), events => {
        const model = new Model()
        for (const step of events) {
          model.step(step)
          model.check()
        }
        model.wait(7500)
        expect(model.view.leaving).toEqual([])
        expect(model.view.set.instances.map(instance => instance.id)).toEqual([...model.truth.keys()].sort())
      }),
      { numRuns: 200 },
    )
  })
})
