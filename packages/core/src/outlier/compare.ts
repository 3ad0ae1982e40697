/**
 * The success rate below which an instance stands out: the mean of all minus `deviations` standard deviations, as
 * Envoy's outlier detection has it, and never closer to the mean than `margin`.
 */
export function successFloor(rates: readonly number[], deviations: number, margin: number): number {
  const mean = sum(rates) / rates.length
  const variance = sum(rates.map(rate => (rate - mean) ** 2)) / rates.length
  return mean - Math.max(margin, deviations * Math.sqrt(variance))
}

/**
 * The mean answer time above which an instance stands out: `factor` times the median of all, which a few slow ones do
 * not move, and never closer to it than `margin`.
 */
export function latencyCeiling(means: readonly number[], factor: number, margin: number): number {
  const middle = median(means)
  return Math.max(middle * factor, middle + margin)
}

function median(values: readonly number[]): number {
  const ascending = [...values].sort((a, b) => a - b)
  const middle = ascending.length >> 1
  const upper = ascending[middle] ?? Number.NaN
  return ascending.length % 2 === 1 ? upper : ((ascending[middle - 1] ?? upper) + upper) / 2
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
