/** One measured row of the bench table, printed as one line of JSON. */
export interface Row {
  readonly row: string
  readonly value: number
  readonly unit: 'ratio' | 'ns' | 'us' | 'ms' | 'MB' | 'count' | 's' | '1/s'
  readonly better: 'higher' | 'lower'
  /** What it was measured beside, in the same run. */
  readonly peer?: string
  /** At least / aim, from the design. */
  readonly detail: Readonly<Record<string, unknown>>
}

/** Measures one or more rows; throws when it cannot measure. */
export type Bench = (say: (progress: string) => void) => Promise<Row>

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle]
  if (upper === undefined) throw new Error('a median of nothing')
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2
}

/** The value below which `share` of the values lie (nearest rank). */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const value = sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)]
  if (value === undefined) throw new Error('a quantile of nothing')
  return value
}

export function round(value: number, digits = 3): number {
  return Number(value.toFixed(digits))
}
