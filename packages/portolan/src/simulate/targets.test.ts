import { describe, expect, it } from 'vitest'
import { contestant } from './contestants.ts'
import { scenarioByName } from './scenarios.ts'
import { type Result, simulate } from './simulation.ts'

/** What the choice of a policy rests on: run over two seeds, as the tables of docs/balancing.md. */
function run(scenario: string, policy: string): readonly Result[] {
  return [1, 2].map(seed => simulate(scenarioByName(scenario), contestant(policy), seed))
}

const p99 = (scenario: string, policy: string): number =>
  run(scenario, policy).reduce((sum, result) => sum + result.p99, 0) / 2

describe('adaptive', () => {
  it.each(['skew-0.5', 'skew-0.7', 'skew-0.85'])(
    'comes near the oracle, and far below least-request: %s',
    scenario => {
      const adaptive = p99(scenario, 'adaptive')
      expect(adaptive / p99(scenario, 'oracle')).toBeLessThanOrEqual(1.15)
      expect(adaptive / p99(scenario, 'least-request')).toBeLessThanOrEqual(0.85)
    },
  )

  it.each(['equal-0.5', 'equal-0.7', 'equal-0.85'])('costs nothing where all are equal: %s', scenario => {
    expect(p99(scenario, 'adaptive') / p99(scenario, 'least-request')).toBeLessThanOrEqual(1.05)
    for (const { servers } of run(scenario, 'adaptive')) {
      for (const { share } of servers) expect(Math.abs(share - 0.1)).toBeLessThan(0.02)
    }
  })

  it('does as well with four balancers that know nothing of each other', () => {
    expect(p99('four-balancers', 'adaptive') / p99('skew-0.7', 'adaptive')).toBeLessThanOrEqual(1.1)
  })

  it.each(['fast-failer', 'turns-away'])(
    'gives one that fails at once a fifth of its share at most: %s',
    scenario => {
      for (const { oddShare } of run(scenario, 'adaptive')) expect(oddShare).toBeLessThanOrEqual(0.1 / 5)
    },
  )
})

describe('the naive formula', () => {
  it('collapses near saturation, where the same load is no trouble for two choices', () => {
    expect(p99('skew-0.85', 'naive')).toBeGreaterThan(4 * p99('skew-0.85', 'least-request'))
  })
})
