import { Counter, Gauge, type Registry } from 'prom-client'
import type { Phase } from './machine.ts'

/** What the supervisor counts. */
export interface WorkloadCounters {
  started(workload: string): void
  exited(workload: string, asked: boolean): void
}

/** @param states the copies at the moment of a scrape */
export function openWorkloadCounters(
  metrics: Registry,
  states: () => readonly { readonly workload: string; readonly phase: Phase }[],
): WorkloadCounters {
  const registers = [metrics]
  const starts = new Counter({
    name: 'portolan_workload_starts_total',
    help: 'Processes started for a supervised program.',
    labelNames: ['workload'],
    registers,
  })
  const exits = new Counter({
    name: 'portolan_workload_exits_total',
    help: 'Processes of a supervised program that ended, by whether they were told to.',
    labelNames: ['workload', 'asked'],
    registers,
  })
  new Gauge({
    name: 'portolan_workload_copies',
    help: 'Copies of a supervised program, by the phase of their life.',
    labelNames: ['workload', 'phase'],
    registers,
    collect() {
      this.reset()
      for (const { workload, phase } of states()) this.inc({ workload, phase })
    },
  })
  return {
    started: workload => starts.inc({ workload }),
    exited: (workload, asked) => exits.inc({ workload, asked: String(asked) }),
  }
}
