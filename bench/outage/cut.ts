import { registryCut } from '../../test/outage/cut.ts'
import { type Bench, round } from '../row.ts'

const cutMs = Number(process.env.BENCH_OUTAGE_MS ?? 60_000)
const instances = 200
const dying = 10

/**
 * Milliseconds from the end of a cut between the registry and all instances until those that died meanwhile are gone.
 * No instance that lives may be removed, and no request may fail.
 */
export const outageCutRow: Bench = async say => {
  const found = await registryCut({ instances, dying, cutMs, rate: 600, say })
  const ms = (value: number): number => round(value, 0)
  return {
    row: 'outage.cut',
    value: ms(found.deadGoneAfterMs),
    unit: 'ms',
    better: 'lower',
    detail: {
      atMost: 1000,
      instances,
      dying,
      cutMs,
      liveRemoved: found.liveRemoved.length,
      liveWithANewRun: found.newRuns.length,
      keptDuringTheCut: found.kept,
      requests: found.requests,
      duringTheCut: found.duringCut,
      msUntil: {
        disconnected: ms(found.disconnectedAfterMs),
        firstBack: ms(found.firstBackAfterMs),
        deadGone: ms(found.deadGoneAfterMs),
        allBack: ms(found.allBackAfterMs),
      },
    },
  }
}
