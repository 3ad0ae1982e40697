import type { Milliseconds } from '../time/clock.ts'
import type { CheckStatus, Degradation } from './check.ts'
import { checkDefaults } from './defaults.ts'

/** What passing probes say of how well an instance does: it lowers weights, and takes nobody out. */
export interface Wear {
  /** Exponentially weighted mean of the answers' times; undefined before the first. */
  readonly latencyMs: Milliseconds | undefined
  readonly slow: boolean
  /** The reported metric, while it is above its limit. */
  readonly high: number | undefined
  /**
   * While results are warnings, the reason of the first of them: each other one would be news for everybody, and a
   * program that prints figures has a new one each time.
   */
  readonly warning: string | undefined
}

export const noWear: Wear = { latencyMs: undefined, slow: false, high: undefined, warning: undefined }

/** The newest answer counts for so much: a step is followed to 76 % after five probes. */
const newest = 0.25

/** Below this part of its limit a value is well again: the gap keeps it from going to and fro. */
const wellBelow = 0.8

export interface WearFinding {
  readonly status: CheckStatus
  readonly reason: string
  readonly latencyMs: Milliseconds
  readonly metrics?: Readonly<Record<string, number>>
}

/** The wear after another result. A critical one says nothing here: causes are not this file's. */
export function worn(wear: Wear, finding: WearFinding, degradation: Degradation | undefined): Wear {
  if (finding.status === 'critical') return wear
  const { latencyMs } = finding
  const mean =
    wear.latencyMs === undefined ? latencyMs : wear.latencyMs + newest * (latencyMs - wear.latencyMs)
  return {
    latencyMs: mean,
    slow: isAbove(mean, degradation?.latencyMs, wear.slow),
    high: highMetric(wear, finding, degradation),
    warning: finding.status === 'warning' ? (wear.warning ?? finding.reason) : undefined,
  }
}

/** What the wear does to the weight; undefined = nothing. */
export function degradedBy(
  wear: Wear,
  degradation: Degradation | undefined,
): { readonly factor: number; readonly reason: string } | undefined {
  const factor = degradation?.weight ?? checkDefaults.degradedWeight
  if (wear.warning !== undefined) return { factor, reason: wear.warning || 'it warns' }
  if (wear.slow) return { factor, reason: `answers take more than ${degradation?.latencyMs} ms on average` }
  if (wear.high === undefined) return undefined
  // No figures of the moment in the reason: each would be news for everybody.
  return { factor, reason: `${degradation?.metric?.name} is above ${degradation?.metric?.above}` }
}

function highMetric(wear: Wear, { metrics }: WearFinding, degradation: Degradation | undefined) {
  const limit = degradation?.metric
  const value = limit === undefined ? undefined : metrics?.[limit.name]
  // Not reported this time: what was known last holds on.
  if (limit === undefined || value === undefined) return limit === undefined ? undefined : wear.high
  return isAbove(value, limit.above, wear.high !== undefined) ? value : undefined
}

function isAbove(value: number, limit: number | undefined, wasAbove: boolean): boolean {
  if (limit === undefined) return false
  return value > (wasAbove && limit > 0 ? limit * wellBelow : limit)
}
