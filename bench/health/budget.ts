import { checksUnderBudget } from '../../test/outage/budget.ts'
import { type Bench, round } from '../row.ts'

const seconds = Number(process.env.BENCH_SECONDS ?? 65)
const kills = 5

/**
 * Checks a second that are kept of 500 that are wanted, for 100 instances with sessions under 200 business requests a
 * second, and without any: the larger of both. Nobody may go unlooked at for longer than the floor of 30 s.
 */
export const healthBudgetRow: Bench = async say => {
  const measure = async (rate: number) => {
    const found = await checksUnderBudget({ rate, seconds, kills, say })
    return {
      looked: found.looked,
      checksPerSecond: round(found.checksPerSecond, 2),
      requestsPerSecond: round(found.requestsPerSecond, 1),
      longestGapMs: round(found.longestGapMs, 0),
      killMs: found.killMs.map(ms => round(ms, 0)),
    }
  }
  const [busy, idle] = [await measure(200), await measure(0)]
  return {
    row: 'health.budget',
    value: Math.max(busy.checksPerSecond, idle.checksPerSecond),
    unit: '1/s',
    better: 'lower',
    detail: { atMost: 10.5, wanted: 500, seconds, busy, idle },
  }
}
