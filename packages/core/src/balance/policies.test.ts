import { describe, expect, it } from 'vitest'
import { Fault } from '../fault/fault.ts'
import { seededRandom } from '../time/clock.ts'
import { Balancer } from './balancer.ts'
import { defaultPolicy, policies, policyByName, policyNames } from './policies.ts'
import { policyContract } from './testing/policy-contract.ts'
import { weightedSet } from './testing/sets.ts'

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
    [undefined, 18],
    [1, 8],
    [1.25, 10],
    [2, 16],
  ])('bounds ring-hash by the factor %s: %i of 80 at the home of a hot key', (hashBalanceFactor, most) => {
    const balancer = new Balancer(policyByName('ring-hash', { hashBalanceFactor }), seededRandom(1))
    balancer.update(weightedSet(Array<number>(10).fill(1)))
    for (let request = 0; request < 80; request++) balancer.pick({ hashKey: 'hot' })
    const held = balancer.endpoints.map(({ inFlight }) => inFlight)
    expect(Math.max(...held)).toBe(most)
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
