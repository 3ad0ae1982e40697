import { type InstanceName, serviceKey } from '@portolan/core'
import type { Health, HealthReport, StatusReport } from '../health.ts'

export interface ScriptedHealth extends Health {
  /** Answered by `why` for the instance of that key, `order/order-1`; for the others, nothing is known. */
  readonly reports: Map<string, HealthReport>
  /** What was reported by `status`, oldest first. */
  readonly statuses: { readonly name: InstanceName; readonly report: StatusReport }[]
}

/** Tests nobody: answers what a test put into it, and keeps what it was told. */
export function scriptedHealth(): ScriptedHealth {
  const reports = new Map<string, HealthReport>()
  const statuses: ScriptedHealth['statuses'] = []
  return {
    reports,
    statuses,
    prober: { probe: async () => 'silent' },
    startingReason: () => undefined,
    attach() {},
    configure() {},
    reported() {},
    hearing() {},
    status: (name, _incarnation, report) => void statuses.push({ name, report }),
    beat() {},
    why: name => reports.get(`${serviceKey(name)}/${name.id}`) ?? { checks: [], history: [] },
    async close() {},
  }
}
