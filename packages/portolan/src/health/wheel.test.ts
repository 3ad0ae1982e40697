import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DueList, type Timed, Wheel } from './wheel.ts'

interface Bell extends Timed {
  readonly rung: number[]
}

function bell(onRing: (self: Bell, now: number) => void = () => {}): Bell {
  const self: Bell = {
    at: 0,
    previous: undefined,
    next: undefined,
    rung: [],
    ring(now) {
      self.rung.push(now)
      onRing(self, now)
    },
  }
  return self
}

function advance(wheel: Wheel, now: number): void {
  const due = new DueList()
  wheel.collect(now, due)
  wheel.ring(due, now)
}

describe('the timing wheel', () => {
  it('rings once, not before its time, and within a tick', () => {
    const wheel = new Wheel(10, 0)
    const one = bell()
    wheel.plan(one, 95)
    advance(wheel, 99)
    expect(one.rung).toEqual([])
    advance(wheel, 100)
    advance(wheel, 500)
    expect(one.rung).toEqual([100])
    expect(wheel.size).toBe(0)
  })

  it('keeps what is due several turns later', () => {
    const wheel = new Wheel(10, 0, 8)
    const one = bell()
    wheel.plan(one, 810)
    for (let now = 10; now <= 800; now += 10) advance(wheel, now)
    expect(one.rung).toEqual([])
    advance(wheel, 810)
    expect(one.rung).toEqual([810])
  })

  it('rings what a bell plans for now at the next tick, and never in the same one for ever', () => {
    const wheel = new Wheel(10, 0)
    const one = bell((self, now) => self.rung.length < 5 && wheel.plan(self, now))
    wheel.plan(one, 10)
    for (let now = 10; now <= 100; now += 10) advance(wheel, now)
    expect(one.rung).toEqual([10, 20, 30, 40, 50])
  })

  it('does not ring what was called off after it was collected', () => {
    const wheel = new Wheel(10, 0)
    const two = bell()
    const one = bell(() => wheel.callOff(two))
    wheel.plan(one, 10)
    wheel.plan(two, 10)
    advance(wheel, 20)
    expect([one.rung.length, two.rung.length, wheel.size]).toEqual([1, 0, 0])
  })

  it('after a pause of many turns, rings each once and in the order of the slots', () => {
    const wheel = new Wheel(10, 0, 8)
    const bells = Array.from({ length: 50 }, () => bell())
    for (const [index, one] of bells.entries()) wheel.plan(one, index * 7)
    advance(wheel, 10_000)
    expect(bells.every(({ rung }) => rung.length === 1)).toBe(true)
    expect(wheel.size).toBe(0)
  })

  it('does what a sorted list does, whatever is planned, called off and planned anew', () => {
    const operation = fc.oneof(
      fc.record({ plan: fc.nat(9), in: fc.nat(400) }),
      fc.record({ off: fc.nat(9) }),
      fc.record({ pass: fc.nat(150) }),
    )
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 80 }), operations => {
        const wheel = new Wheel(10, 0, 16)
        const bells = Array.from({ length: 10 }, () => bell())
        const model = new Map<number, number>()
        let now = 0
        for (const step of operations) {
          if ('plan' in step) {
            wheel.plan(bells[step.plan] as Bell, now + step.in)
            model.set(step.plan, now + step.in)
          } else if ('off' in step) {
            wheel.callOff(bells[step.off] as Bell)
            model.delete(step.off)
          } else {
            now += step.pass
            const before = bells.map(({ rung }) => rung.length)
            advance(wheel, now)
            for (const [index, one] of bells.entries()) {
              const at = model.get(index)
              const hasRung = one.rung.length > (before[index] ?? 0)
              if (hasRung) {
                expect(at).toBeLessThanOrEqual(now)
                model.delete(index)
              } else if (at !== undefined) expect(now).toBeLessThan(at + 20)
            }
          }
          expect(wheel.size).toBe(model.size)
        }
      }),
    )
  })
})
