import { describe, expect, it } from 'vitest'
import { degradedBy, noWear, type WearFinding, worn } from './wear.ts'

const slowAbove100 = { latencyMs: 100, weight: 0.3 }
const queueAbove10 = { metric: { name: 'queue', above: 10 }, weight: 0.5 }
const answered = (latencyMs: number, more: Partial<WearFinding> = {}): WearFinding => ({
  status: 'passing',
  reason: '',
  latencyMs,
  ...more,
})

describe('wear', () => {
  it('lowers the weight when answers are slow on average, not for one of them', () => {
    let wear = worn(noWear, answered(20), slowAbove100)
    wear = worn(wear, answered(300), slowAbove100)
    expect(degradedBy(wear, slowAbove100)).toBeUndefined()
    for (let i = 0; i < 5; i++) wear = worn(wear, answered(300), slowAbove100)
    expect(degradedBy(wear, slowAbove100)).toEqual({
      factor: 0.3,
      reason: 'answers take more than 100 ms on average',
    })
  })

  it('needs clearly better answers to forgive: no to and fro around the limit', () => {
    const slow = worn(noWear, answered(150), slowAbove100)
    expect(slow.slow).toBe(true)
    let wear = slow
    for (let i = 0; i < 50; i++) wear = worn(wear, answered(90), slowAbove100)
    expect(wear.slow).toBe(true)
    for (let i = 0; i < 50; i++) wear = worn(wear, answered(70), slowAbove100)
    expect(degradedBy(wear, slowAbove100)).toBeUndefined()
  })

  it('follows a reported metric, and remembers it while nothing is reported', () => {
    let wear = worn(noWear, answered(1, { metrics: { queue: 11 } }), queueAbove10)
    expect(degradedBy(wear, queueAbove10)).toEqual({ factor: 0.5, reason: 'queue is above 10' })
    wear = worn(wear, answered(1), queueAbove10)
    expect(wear.high).toBe(11)
    wear = worn(wear, answered(1, { metrics: { queue: 9 } }), queueAbove10)
    expect(wear.high).toBe(9)
    wear = worn(wear, answered(1, { metrics: { queue: 7 } }), queueAbove10)
    expect(degradedBy(wear, queueAbove10)).toBeUndefined()
  })

  it('takes a warning as it comes and goes', () => {
    const warned = worn(noWear, answered(1, { status: 'warning', reason: 'disk 91 %' }), undefined)
    expect(degradedBy(warned, undefined)).toEqual({ factor: 0.5, reason: 'disk 91 %' })
    expect(degradedBy(worn(warned, answered(1), undefined), undefined)).toBeUndefined()
  })

  it('says why it began to warn for as long as it warns: figures that change are no news for everybody', () => {
    const warning = (reason: string) => answered(1, { status: 'warning', reason })
    const warned = worn(worn(noWear, warning('disk 91 %'), undefined), warning('disk 92 %'), undefined)
    expect(degradedBy(warned, undefined)).toEqual({ factor: 0.5, reason: 'disk 91 %' })
    const anew = worn(worn(warned, answered(1), undefined), warning('disk 93 %'), undefined)
    expect(degradedBy(anew, undefined)).toEqual({ factor: 0.5, reason: 'disk 93 %' })
  })

  it('learns nothing from failures', () => {
    const wear = worn(noWear, answered(20), slowAbove100)
    expect(worn(wear, answered(500, { status: 'critical' }), slowAbove100)).toBe(wear)
  })
})
