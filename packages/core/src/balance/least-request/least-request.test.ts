import { describe, expect, it } from 'vitest'
import type { Endpoint, Picker } from '../picker.ts'
import { anEndpoint } from '../testing/endpoint.ts'
import { policyContract } from '../testing/policy-contract.ts'
import { anInstance } from '../testing/sets.ts'
import { leastRequest } from './least-request.ts'

policyContract('least-request', leastRequest)
policyContract('least-request, two choices always', () => leastRequest({ scanUpTo: 0 }))
policyContract('least-request, full scan always', () => leastRequest({ scanUpTo: 1000 }))

function endpointsOf(...loads: readonly (readonly [weight: number, inFlight: number])[]): Endpoint[] {
  return loads.map(([weight, inFlight], index) => {
    const id = `i-${index}`
    return anEndpoint(id, { instance: anInstance(id, { weight }), weight, inFlight })
  })
}

/** Which of two of equal weight is picked when the dice draw `first` as the first candidate, the other as second. */
function winner(first: 0 | 1, ...inFlight: readonly [number, number]): string | undefined {
  const [a, b] = inFlight
  const picker = leastRequest({ scanUpTo: 0 })(endpointsOf([1, a], [1, b]), () => first / 2)
  return picker.pick()?.id
}

function share(picker: Picker, id: string, rolls = 1000): number {
  let count = 0
  for (let roll = 0; roll < rolls; roll++) if (picker.pick()?.id === id) count++
  return count / rolls
}

/** Dice that walk over [0, 1) in even steps. */
function sweeping(steps: number): () => number {
  let roll = 0
  return () => (roll++ % steps) / steps
}

describe('leastRequest', () => {
  it('takes the less loaded of two, and the first of equals', () => {
    expect(winner(0, 3, 2)).toBe('i-1')
    expect(winner(1, 3, 2)).toBe('i-1')
    expect(winner(0, 2, 2)).toBe('i-0')
    expect(winner(1, 2, 2)).toBe('i-1')
  })

  it.each([
    ['two choices', 0],
    ['full scan', 8],
  ])('leaves a light endpoint its turns while the service is idle: %s', (_title, scanUpTo) => {
    const picker = leastRequest({ scanUpTo })(endpointsOf([9, 0], [1, 0]), sweeping(1000))
    expect(share(picker, 'i-1')).toBeCloseTo(0.1, 1)
  })

  it.each([
    ['two choices', 0],
    ['full scan', 8],
  ])('weighs what is in flight by weight, the request itself included: %s', (_title, scanUpTo) => {
    const policy = leastRequest({ scanUpTo })
    // 10 of 99 in flight are less than 1 of 1, and 0 of 1 would become more than 10 of 99.
    expect(share(policy(endpointsOf([99, 10], [1, 1]), sweeping(997)), 'i-1')).toBe(0)
    // 200 of 99 are more than 1 of 1 with the request: everybody goes there.
    expect(share(policy(endpointsOf([99, 200], [1, 0]), sweeping(997)), 'i-1')).toBe(1)
  })

  it('chooses two ways for a retry too', () => {
    const endpoints = endpointsOf([1, 0], [1, 9], [1, 0])
    const picker = leastRequest({ scanUpTo: 0 })(endpoints, sweeping(3))
    const tried = endpoints.slice(0, 1)
    const picks = Array.from({ length: 30 }, () => picker.pick({ tried })?.id)
    expect(picks).not.toContain('i-0')
    expect(picks.filter(id => id === 'i-2').length).toBeGreaterThan(15)
  })
})
