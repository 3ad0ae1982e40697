import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dampingRules, forgiven, heldUntil, isHeld, noPenalty, penalised, penaltyAt } from './damping.ts'

const times = (count: number, everyMs: number) =>
  Array.from({ length: count }, (_, i) => i * everyMs).reduce(
    (penalty, at) => penalised(penalty, at),
    noPenalty,
  )

describe('flap damping', () => {
  it('forgives once and twice, and holds the third within a minute', () => {
    expect(isHeld(times(1, 5000), 0)).toBe(false)
    expect(isHeld(times(2, 5000), 5000)).toBe(false)
    expect(isHeld(times(3, 5000), 10_000)).toBe(true)
    expect(isHeld(times(3, 60_000), 120_000)).toBe(false)
  })

  it('decays by half every half-life, and holds until the penalty is small', () => {
    const penalty = times(3, 5000)
    const until = heldUntil(penalty, 10_000) ?? Number.NaN
    expect(until - 10_000).toBeGreaterThan(20_000)
    expect(isHeld(penalty, until - 1)).toBe(true)
    expect(isHeld(penalty, until + 1)).toBe(false)
    expect(heldUntil(penalty, until + 1)).toBeUndefined()
    expect(penaltyAt(penalty, 10_000 + dampingRules.halfLifeMs)).toBeCloseTo(penalty.value / 2)
  })

  it('takes a time out back that was everybody’s', () => {
    expect(forgiven(times(1, 0), 0)).toBe(noPenalty)
    expect(isHeld(forgiven(times(3, 1000), 2000), 2000)).toBe(false)
  })

  it('holds nobody longer than a minute after the last time, however often', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20_000), { minLength: 1, maxLength: 200 }), gaps => {
        let now = 0
        let penalty = noPenalty
        for (const gap of gaps) {
          now += gap
          penalty = penalised(penalty, now)
        }
        expect((heldUntil(penalty, now) ?? now) - now).toBeLessThanOrEqual(60_000)
      }),
    )
  })
})
