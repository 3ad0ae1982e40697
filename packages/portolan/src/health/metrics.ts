import { Counter, Gauge, Histogram, type Registry as MetricsRegistry } from 'prom-client'
import type { CheckStanding } from './health.ts'

/** What health checking counts. docs/metrics.md says what each means. */
export interface HealthMetrics {
  readonly probes: Counter<'type' | 'result'>
  readonly probeSeconds: Histogram<'type'>
  readonly outs: Counter<'type'>
  readonly reportedFailures: Counter
  readonly lagSeconds: Counter
  readonly errors: Counter<'loop'>
  readonly lastErrorSeconds: Gauge<'loop'>
}

/** The parts that work by themselves, and whose failures nobody else would see. */
export type HealthLoop = 'checks' | 'verdicts'

/** What is read off when somebody asks. */
export interface HealthState {
  /** Walks over all checks. */
  checks(): { readonly byPhase: Readonly<Record<CheckStanding['phase'], number>>; readonly held: number }
  looks(): { readonly underWay: number; readonly waiting: number }
  stretch(): number
}

export function openHealthMetrics(register: MetricsRegistry, state: HealthState): HealthMetrics {
  const registers = [register]
  const readOff = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })
  }
  // Collected in the order in which they are made: one walk serves both.
  let held = 0
  new Gauge({
    name: 'portolan_health_checks',
    help: 'Checks by phase',
    labelNames: ['phase'],
    registers,
    collect() {
      const found = state.checks()
      held = found.held
      for (const [phase, count] of Object.entries(found.byPhase)) this.set({ phase }, count)
    },
  })
  readOff('portolan_health_held', 'Checks that flap damping keeps out', () => held)
  readOff('portolan_health_probes_open', 'Probes under way', () => state.looks().underWay)
  readOff('portolan_health_probes_waiting', 'Probes that wait for their turn', () => state.looks().waiting)
  readOff(
    'portolan_health_stretch_factor',
    'By how much the intervals of checks are longer than asked for, where other signs of life are fresh',
    () => state.stretch(),
  )
  return {
    probes: new Counter({
      name: 'portolan_health_probes_total',
      help: 'Probes by type and result',
      labelNames: ['type', 'result'],
      registers,
    }),
    probeSeconds: new Histogram({
      name: 'portolan_health_probe_seconds',
      help: 'Time that answered probes took',
      labelNames: ['type'],
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
      registers,
    }),
    outs: new Counter({
      name: 'portolan_health_outs_total',
      help: 'Instances taken out, by the type of the check that did it',
      labelNames: ['type'],
      registers,
    }),
    reportedFailures: new Counter({
      name: 'portolan_health_reported_failures_total',
      help: 'Failed requests that consumers reported',
      registers,
    }),
    lagSeconds: new Counter({
      name: 'portolan_health_lag_seconds_total',
      help: 'Lateness of our own timers that was not held against instances',
      registers,
    }),
    errors: new Counter({
      name: 'portolan_health_errors_total',
      help: 'Failures inside health checking, by the loop that met them',
      labelNames: ['loop'],
      registers,
    }),
    lastErrorSeconds: new Gauge({
      name: 'portolan_health_last_error_timestamp_seconds',
      help: 'When a loop failed last, in seconds since 1970',
      labelNames: ['loop'],
      registers,
    }),
  }
}

/** As the counter of probes says it. */
export function resultOf(status: 'passing' | 'warning' | 'critical', isTimeout: boolean): string {
  return isTimeout ? 'timeout' : status
}
