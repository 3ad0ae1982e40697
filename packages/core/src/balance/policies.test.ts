import { describe, expect, it } from 'vitest'
import { Fault } from '../fault/fault.ts'
import { leastRequest } from './least-request.ts'
import { defaultPolicy, policies, policyByName, policyNames } from './policies.ts'
import { policyContract } from './testing/policy-contract.ts'

for (const name of policyNames) policyContract(name, policies[name])
policyContract('least-request, two choices always', () => leastRequest({ scanUpTo: 0 }))
policyContract('least-request, full scan always', () => leastRequest({ scanUpTo: 1000 }))

describe('policyByName', () => {
  it('knows the table, and least-request where nothing is said', () => {
    expect(policyNames).toEqual(['least-request', 'random', 'round-robin'])
    expect(defaultPolicy).toBe('least-request')
    expect(policyByName()).toBeTypeOf('function')
  })

  it.each([
    ['rond-robin', 'did you mean "round-robin"?'],
    ['LeastRequest', 'did you mean "least-request"?'],
    ['toString', 'there are: least-request, random, round-robin'],
    ['', 'there are: least-request, random, round-robin'],
  ])('refuses "%s" and says what there is', (name, hint) => {
    const refusal = () => policyByName(name)
    expect(refusal).toThrow(Fault)
    expect(refusal).toThrow(expect.objectContaining({ code: 'invalid_request', hint }))
  })
})
