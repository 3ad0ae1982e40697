import { describe, expect, it } from 'vitest'
import { Fault } from '../fault/fault.ts'
import { checkWeight, isWeight } from './weight.ts'

describe('weights', () => {
  it.each([0, 0.001, 0.5, 1, 1_000_000])('takes %d', weight => {
    expect(isWeight(weight)).toBe(true)
    expect(checkWeight(weight)).toBe(weight)
  })

  it.each([-1, 0.0001, 1_000_001, Number.NaN, Number.POSITIVE_INFINITY, '1', null, undefined, {}])(
    'refuses %s and says what a weight is',
    value => {
      expect(isWeight(value)).toBe(false)
      const refusal = () => checkWeight(value, 'services.order.weight')
      expect(refusal).toThrow(Fault)
      expect(refusal).toThrow(/^services\.order\.weight: .* is not a weight$/)
      expect(refusal).toThrow(
        expect.objectContaining({ code: 'invalid_request', hint: expect.stringContaining('0.001') }),
      )
    },
  )
})
