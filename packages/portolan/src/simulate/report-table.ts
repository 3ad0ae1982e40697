import type { Result, Scenario } from './simulation.ts'

/** Head and rows of the table of one scenario: a line a policy, times in ms beside the oracle's where that ran. */
export function reportRows(results: readonly Result[]): {
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
} {
  const best = results.find(({ policy }) => policy === 'oracle')
  const head = [
    'POLICY',
    'P50',
    'P90',
    'P99',
    'P99.9',
    ...(best === undefined ? [] : ['P99/ORACLE']),
    'GOOD',
    'ERRORS',
    'TRIES',
    'BUSIEST/MEAN',
    'SD',
    'ODD ONE GETS',
  ]
  const rows = results.map(result => [
    result.policy,
    time(result.p50),
    time(result.p90),
    time(result.p99),
    time(result.p999),
    ...(best === undefined ? [] : [(result.p99 / best.p99).toFixed(2)]),
    percent(result.goodput),
    percent(result.errors),
    result.amplification.toFixed(3),
    result.spread.maxOverMean.toFixed(2),
    result.spread.deviation.toFixed(3),
    result.oddShare === undefined ? '-' : percent(result.oddShare),
  ])
  return { head, rows }
}

/** `skew-0.7: one of ten is 4 times as slow; 70 % of what all can serve`. */
export function headingOf({ name, about }: Pick<Scenario, 'name' | 'about'>): string {
  return `${name}: ${about}`
}

function time(ms: number): string {
  return ms >= 1000 ? `${(ms / 1000).toFixed(1)}s` : ms.toFixed(1)
}

function percent(share: number): string {
  const value = share * 100
  return `${value.toFixed(value > 0 && value < 10 ? 2 : 1)}%`
}
