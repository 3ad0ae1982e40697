const largest = 65_535
/** How far a ratio may be off. */
const tolerance = 0.001
const mostFactor = 100
const mostDistinct = 64

/**
 * Weights as SRV records want them: whole numbers from 1 to 65535 in the same ratios, as small as can be: 1 where all are
 * equal. Ratios that no small numbers have are kept as well as the range allows.
 * @param weights each greater than 0
 * @param scale what each is multiplied by; the range below it is smaller then, so that ratios hold
 */
export function srvWeights(weights: readonly number[], scale = 1): readonly number[] {
  const distinct = [...new Set(weights)]
  const least = distinct.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
  const most = Math.max(1, Math.floor(largest / scale))
  const factor = factorFor(
    distinct.map(weight => weight / least),
    most,
  )
  return weights.map(weight => {
    const whole = clamped(Math.round((weight / least) * factor), most)
    return clamped(Math.round(whole * scale), largest)
  })
}

/** The smallest whole factor that makes all ratios whole, or else the one that makes the largest as large as may be. */
function factorFor(ratios: readonly number[], most: number): number {
  const largestRatio = ratios.reduce((a, b) => Math.max(a, b), 1)
  if (ratios.length <= mostDistinct) {
    for (let factor = 1; factor <= mostFactor && largestRatio * factor <= most; factor++) {
      if (ratios.every(ratio => isNearlyWhole(ratio * factor))) return factor
    }
  }
  return most / largestRatio
}

function isNearlyWhole(value: number): boolean {
  return Math.abs(value - Math.round(value)) <= value * tolerance
}

function clamped(value: number, most: number): number {
  return Math.min(most, Math.max(1, value))
}
