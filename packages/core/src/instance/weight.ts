import { Fault } from '../fault/fault.ts'

/** The weight of an instance that says none. */
export const defaultWeight = 1

export const maxWeight = 1_000_000

/** The least weight that still takes traffic; it keeps ratios of weights within what arithmetic holds. */
export const minWeight = 0.001

/** 0 (no new traffic), or `minWeight` to `maxWeight`; fractions allowed. */
export function isWeight(value: unknown): value is number {
  return typeof value === 'number' && (value === 0 || (value >= minWeight && value <= maxWeight))
}

/**
 * The value if it is a weight.
 * @param where what it is the weight of, for the message
 * @throws Fault `invalid_request`
 */
export function checkWeight(value: unknown, where = 'weight'): number {
  if (isWeight(value)) return value
  // What a peer sends as an object may be without a text: `String` of it throws.
  const text = typeof value === 'object' && value !== null ? 'an object or list' : String(value).slice(0, 40)
  throw new Fault('invalid_request', `${where}: ${text} is not a weight`, {
    source: 'caller',
    hint: `a weight is 0 (takes no new traffic) or a number from ${minWeight} to ${maxWeight}`,
  })
}
