import type { Balancer } from '../balancer.ts'
import type { Endpoint } from '../picker.ts'

/** How often each instance was picked in `picks` picks, by id, at most `inFlight` open at once, oldest done first. */
export function countPicks(balancer: Balancer, picks: number, inFlight = 1): Map<string, number> {
  const counts = new Map(balancer.endpoints.map(({ id }) => [id, 0]))
  const open: Endpoint[] = []
  for (let count = 0; count < picks; count++) {
    const picked = balancer.pick()
    if (picked === undefined) throw new Error('nothing to pick')
    counts.set(picked.id, (counts.get(picked.id) ?? 0) + 1)
    // A ring: each pick ends the one that `inFlight` came after it.
    const slot = inFlight < 2 ? 0 : count % (inFlight - 1)
    const ended = inFlight < 2 ? picked : open[slot]
    if (ended !== undefined) balancer.done(ended, 'success')
    if (inFlight >= 2) open[slot] = picked
  }
  for (const endpoint of open) balancer.done(endpoint, 'success')
  return counts
}

/** The greatest distance between a count's share and its weight's share of the total: 0.01 = one percentage point. */
export function worstShareError(counts: readonly number[], weights: readonly number[]): number {
  const picks = sum(counts)
  const total = sum(weights)
  return Math.max(...counts.map((count, index) => Math.abs(count / picks - (weights[index] ?? 0) / total)))
}

/**
 * Pearson's chi-squared of the counts against the expected shares, in standard deviations from its mean: beyond
 * about 4, chance does not explain the counts.
 */
export function chiSquaredSigmas(counts: readonly number[], weights: readonly number[]): number {
  const picks = sum(counts)
  const total = sum(weights)
  let chiSquared = 0
  for (const [index, count] of counts.entries()) {
    const expected = (picks * (weights[index] ?? 0)) / total
    chiSquared += (count - expected) ** 2 / expected
  }
  const freedom = counts.length - 1
  return (chiSquared - freedom) / Math.sqrt(2 * freedom)
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
