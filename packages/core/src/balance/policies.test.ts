import { describe, expect, it } from 'vitest'
import { Fault } from '../fault/fault.ts'
import { defaultPolicy, policies, policyByName, policyNames } from './policies.ts'
import { policyContract } from './testing/policy-contract.ts'

// Whatever the table names runs the contract, the policies of tomorrow too.
for (const name of policyNames) policyContract(name, policies[name])

describe('policyByName', () => {
  it('knows the table, and least-request where nothing is said', () => {
    expect(policyNames).toEqual([
      'adaptive',
      'forecast-weighted',
      'least-request',
      'maglev',
      'peak-ewma',
      'random',
      'ring-hash',
      'round-robin',
    ])
    expect(defaultPolicy).toBe('least-request')
    expect(policyByName()).toBeTypeOf('function')
  })

  it.each([
    ['rond-robin', 'did you mean "round-robin"?'],
    ['LeastRequest', 'did you mean "least-request"?'],
    ['toString', `there are: ${policyNames.join(', ')}`],
    ['', `there are: ${policyNames.join(', ')}`],
  ])('refuses "%s" and says what there is', (name, hint) => {
    const refusal = () => policyByName(name)
    expect(refusal).toThrow(Fault)
    expect(refusal).toThrow(expect.objectContaining({ code: 'invalid_request', hint }))
  })
})
