import type { Result, Scenario } from './simulation.ts'

/** A column of the table. docs/balancing.md says what each means. */
export interface Column {
  readonly head: string
  /** Where JSON has the same; undefined = nowhere. */
  readonly field: string | undefined
  /** @param best the oracle's, where that ran */
  cell(result: Result, best: Result | undefined): string
}

const column = (head: string, field: string | undefined, cell: Column['cell']): Column => ({
  head,
  field,
  cell,
})

export const columns: readonly Column[] = [
  column('POLICY', 'policy', ({ policy }) => policy),
  column('P50', 'p50', ({ p50 }) => time(p50)),
  column('P90', 'p90', ({ p90 }) => time(p90)),
  column('P99', 'p99', ({ p99 }) => time(p99)),
  column('P99.9', 'p999', ({ p999 }) => time(p999)),
  column('P99/ORACLE', undefined, ({ p99 }, best) => (p99 / (best?.p99 ?? p99)).toFixed(2)),
  column('GOOD', 'goodput', ({ goodput }) => percent(goodput)),
  column('ERRORS', 'errors', ({ errors }) => percent(errors)),
  column('TRIES', 'amplification', ({ amplification }) => amplification.toFixed(3)),
  column('BUSIEST/MEAN', 'spread.maxOverMean', ({ spread }) => spread.maxOverMean.toFixed(2)),
  column('SD', 'spread.deviation', ({ spread }) => spread.deviation.toFixed(3)),
  column('ODD ONE GETS', 'oddShare', ({ oddShare }) => (oddShare === undefined ? '-' : percent(oddShare))),
]

/** Head and rows of the table of one scenario: a line a policy, times in ms beside the oracle's where that ran. */
export function reportRows(results: readonly Result[]): {
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
} {
  const best = results.find(({ policy }) => policy === 'oracle')
  const shown = columns.filter(({ head }) => best !== undefined || head !== 'P99/ORACLE')
  return {
    head: shown.map(({ head }) => head),
    rows: results.map(result => shown.map(({ cell }) => cell(result, best))),
  }
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
