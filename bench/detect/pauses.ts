import { measurePauses, type PausePlan } from '../../test/faults/pauses.ts'
import { openWorld } from '../../test/faults/world.ts'
import { type Bench, round } from '../row.ts'

/**
 * p99 of calls while 20 instances pause 300 ms at random, over that of the same calls by a caller that takes no
 * notice of what the registry says; both in one run.
 */
export const detectPausesRow: Bench = async say => {
  const plan: PausePlan = {
    seconds: Number(process.env.BENCH_SECONDS ?? 600),
    instances: 20,
    rate: 1000,
    pauseMs: 300,
    everyMs: 10_000,
  }
  const world = await openWorld()
  try {
    const { live, fixed, ...rest } = await measurePauses(world, plan, say)
    return {
      row: 'detect.pauses',
      value: round(live.p99 / fixed.p99),
      unit: 'ratio',
      better: 'lower',
      peer: 'the same calls over a fixed set',
      detail: { ...plan, ...rest, live, fixed },
    }
  } finally {
    await world.close()
  }
}
