import type { Milliseconds } from '../time/clock.ts'

/** Checks that want to run at the same interval. */
export interface Wanted {
  readonly intervalMs: Milliseconds
  readonly count: number
  /** How many of them are of instances that something else has just heard of: only these may wait longer. */
  readonly fresh: number
}

export interface BudgetRules {
  /** Of the business requests, and of the CPU time that they cost, so much may go into checks. */
  readonly share: number
  /** Whatever the business is, so many checks a second are no cost worth saving: few instances are looked at as asked. */
  readonly freePerSecond: number
  /** Nobody is stretched beyond this, however fresh and however little traffic there is. */
  readonly longestMs: Milliseconds
  /** Never more checks a second in all: what is beyond stretches everybody. */
  readonly maxPerSecond: number
  /**
   * What one check is reckoned to cost on both sides together, for the comparison with the requests' own CPU time.
   * Measured (`npm run bench -- health.cost health.checks`): 0.05 ms at 5,000 a second; where they are few and find
   * every cache cold, 0.2 ms, or 0.5 ms with a new connection each; and twice that here, since consumers report all that
   * their process uses.
   */
  readonly checkCpuMs: Milliseconds
}

export const budgetRules: BudgetRules = {
  share: 0.05,
  freePerSecond: 10,
  longestMs: 30_000,
  maxPerSecond: 10_000,
  checkCpuMs: 1,
}

/** What consumers said of their requests, a second. */
export interface Business {
  readonly requests: number
  /** Undefined where nobody could tell. */
  readonly cpuMs: number | undefined
}

/** By how much intervals are longer than asked for: 1 = not at all. */
export interface Stretch {
  readonly fresh: number
  /** On top of it, for everybody. */
  readonly all: number
}

export const noStretch: Stretch = { fresh: 1, all: 1 }

/** Checks a second that are free, or that the business pays for. */
export function allowedPerSecond({ requests, cpuMs }: Business, rules: BudgetRules): number {
  const { share, freePerSecond, checkCpuMs } = rules
  const byCount = share * requests
  const paid = cpuMs === undefined ? byCount : Math.min(byCount, (share * cpuMs) / checkCpuMs)
  return Math.max(freePerSecond, paid)
}

/** The interval that is kept, where `intervalMs` was asked for. */
export function stretchedInterval(
  intervalMs: Milliseconds,
  isFresh: boolean,
  stretch: Stretch,
  { longestMs }: BudgetRules = budgetRules,
): Milliseconds {
  const longest = Math.max(intervalMs, longestMs)
  return (isFresh ? Math.min(longest, intervalMs * stretch.fresh) : intervalMs) * stretch.all
}

/**
 * The smallest common factors that keep the checks within their budget. Checks of instances that nothing is known of
 * run as asked for and use it up first; what is left is for those that are fresh, and at least their floor.
 */
export function stretchFor(
  wanted: readonly Wanted[],
  allowed: number,
  rules: BudgetRules = budgetRules,
): Stretch {
  let others = 0
  for (const { intervalMs, count, fresh } of wanted) others += perSecond(count - fresh, intervalMs)
  const fresh = freshFactor(wanted, Math.max(0, allowed - others), rules)
  let rate = others
  for (const { intervalMs, fresh: count } of wanted) {
    rate += perSecond(count, stretchedInterval(intervalMs, true, { fresh, all: 1 }, rules))
  }
  return { fresh, all: Math.max(1, rate / rules.maxPerSecond) }
}

/**
 * Water filling: the longest intervals reach the floor first. Each time that one does, it costs its floor and no less,
 * and the others share what is left.
 */
function freshFactor(wanted: readonly Wanted[], allowed: number, { longestMs }: BudgetRules): number {
  const stretchable = wanted.filter(({ intervalMs, fresh }) => fresh > 0 && intervalMs < longestMs)
  stretchable.sort((a, b) => b.intervalMs - a.intervalMs)
  let left = allowed
  for (const { intervalMs, fresh } of wanted) {
    if (intervalMs >= longestMs) left -= perSecond(fresh, intervalMs)
  }
  let rate = 0
  for (const { intervalMs, fresh } of stretchable) rate += perSecond(fresh, intervalMs)
  let most = 1
  for (const { intervalMs, fresh } of stretchable) {
    most = longestMs / intervalMs
    const factor = left > 0 ? rate / left : Number.POSITIVE_INFINITY
    if (factor <= most) return Math.max(1, factor)
    rate -= perSecond(fresh, intervalMs)
    left -= perSecond(fresh, longestMs)
  }
  return most
}

function perSecond(count: number, intervalMs: Milliseconds): number {
  return (count * 1000) / intervalMs
}
