import { contestant } from '../../packages/portolan/src/simulate/contestants.ts'
import { scenarioByName } from '../../packages/portolan/src/simulate/scenarios.ts'
import { simulate } from '../../packages/portolan/src/simulate/simulation.ts'
import { type Bench, round } from '../row.ts'

const seeds = Array.from({ length: Number(process.env.BENCH_ROUNDS ?? 2) }, (_, index) => index + 1)
const loads = [0.5, 0.7, 0.85] as const

/** The mean over the seeds of the 99th percentile, in milliseconds. */
function p99(scenario: string, policy: string): number {
  const results = seeds.map(seed => simulate(scenarioByName(scenario), contestant(policy), seed))
  return results.reduce((sum, result) => sum + result.p99, 0) / results.length
}

function beside(
  kind: 'skew' | 'equal',
  peer: string,
): readonly { readonly load: number; readonly ratio: number }[] {
  return loads.map(load => {
    const scenario = `${kind}-${load}`
    return { load, ratio: round(p99(scenario, 'adaptive') / p99(scenario, peer), 3) }
  })
}

const worst = (rows: readonly { readonly ratio: number }[]): number =>
  Math.max(...rows.map(({ ratio }) => ratio))

/** Simulated: adaptive's p99 beside the oracle's, one of ten instances being four times as slow; the worst of three loads. */
export const balanceSkewRow: Bench = async say => {
  say('two seeds, three loads, three policies')
  const oracle = beside('skew', 'oracle')
  return {
    row: 'balance.skew',
    value: worst(oracle),
    unit: 'ratio',
    better: 'lower',
    peer: 'the oracle',
    detail: {
      atMost: 1.15,
      aim: 1.05,
      seeds: seeds.length,
      oracle,
      leastRequest: beside('skew', 'least-request'),
    },
  }
}

/** Simulated: adaptive's p99 beside that of least-request, all instances being equal; the worst of three loads. */
export const balanceEqualRow: Bench = async say => {
  say('two seeds, three loads, two policies')
  const leastRequest = beside('equal', 'least-request')
  return {
    row: 'balance.equal',
    value: worst(leastRequest),
    unit: 'ratio',
    better: 'lower',
    peer: 'least-request',
    detail: { atMost: 1.05, aim: 1, seeds: seeds.length, leastRequest, oracle: beside('equal', 'oracle') },
  }
}
