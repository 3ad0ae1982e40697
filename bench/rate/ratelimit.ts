import { limit, limitOfThree } from '../../test/rate/limit-of-three.ts'
import { type Bench, round } from '../row.ts'

/** How far three gateways together are off their service's limit, in parts of what it lets pass in ten seconds. */
export const proxyRatelimitRow: Bench = async say => {
  const { stretches, broken } = await limitOfThree(10_000, say)
  return {
    row: 'proxy.ratelimit',
    value: round(Math.max(...stretches.map(({ off }) => Math.abs(off))), 4),
    unit: 'ratio',
    better: 'lower',
    detail: {
      atMost: 0.02,
      ...limit,
      broken,
      stretches: stretches.map(({ name, ms, plan, passed, off, gateways, latestMs }) => ({
        name,
        ms: round(ms, 0),
        plan: round(plan, 0),
        passed,
        off: round(off, 4),
        latestMs: round(latestMs, 0),
        gateways,
      })),
    },
  }
}
