import { Counter, Gauge, Histogram, type Registry as MetricsRegistry } from 'prom-client'

export type SessionState = 'alive' | 'silent'

/** What the registry counts. docs/metrics.md says what each means. */
export interface RegistryMetrics {
  readonly subscriptions: Gauge
  readonly coalesced: Counter
  readonly congested: Counter
  readonly pushSeconds: Histogram
  readonly drainSeconds: Histogram<'released'>
  readonly registrations: Counter<'result'>
  readonly removals: Counter<'reason'>
  readonly protectedInstances: Gauge
  readonly protectedByService: Gauge<'service'>
  readonly sessions: Gauge<'state'>
  readonly errors: Counter<'loop'>
  readonly lastErrorSeconds: Gauge<'loop'>
  readonly heldUp: Counter
}

/** The parts of the registry that work by themselves, and whose failures nobody else would see. */
export type Loop = 'follow' | 'push' | 'causes' | 'leases' | 'probes'

/** Instances and health are read off when somebody asks; the rest is counted as it happens. */
export function openRegistryMetrics(
  register: MetricsRegistry,
  counts: () => { readonly instances: number; readonly healthy: number; readonly services: number },
): RegistryMetrics {
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
  readOff('portolan_registry_services', 'Services with at least one instance', () => counts().services)
  readOff('portolan_registry_instances', 'Registered instances', () => counts().instances)
  readOff(
    'portolan_registry_healthy_ratio',
    'Share of instances without a cause; 1 while there is none',
    () => {
      const { instances, healthy } = counts()
      return instances === 0 ? 1 : healthy / instances
    },
  )
  return {
    subscriptions: new Gauge({
      name: 'portolan_registry_subscriptions',
      help: 'Open subscriptions to services',
      registers,
    }),
    coalesced: new Counter({
      name: 'portolan_registry_coalesced_total',
      help: 'Changes that went out together with an earlier one',
      registers,
    }),
    congested: new Counter({
      name: 'portolan_registry_congested_total',
      help: 'Pushes after which a subscriber could take no more',
      registers,
    }),
    pushSeconds: new Histogram({
      name: 'portolan_registry_push_seconds',
      help: 'From the first change to the end of the push that carries it to all subscribers of its service',
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1],
      registers,
    }),
    drainSeconds: new Histogram({
      name: 'portolan_registry_drain_seconds',
      help: 'From the request to drain until everybody who picks had let go (released), or gave no answer in time',
      labelNames: ['released'],
      buckets: [0.005, 0.02, 0.1, 0.5, 2, 5, 10, 30, 120],
      registers,
    }),
    registrations: new Counter({
      name: 'portolan_registry_registrations_total',
      help: 'Registrations by result',
      labelNames: ['result'],
      registers,
    }),
    removals: new Counter({
      name: 'portolan_registry_removals_total',
      help: 'Instances that left, by reason',
      labelNames: ['reason'],
      registers,
    }),
    protectedInstances: new Gauge({
      name: 'portolan_registry_protected_instances',
      help: 'Instances that stay beyond their lease because too many fell silent together',
      registers,
    }),
    protectedByService: new Gauge({
      name: 'portolan_registry_protected',
      help: 'The same by service; absent while none of its instances is protected',
      labelNames: ['service'],
      registers,
    }),
    sessions: new Gauge({
      name: 'portolan_registry_sessions',
      help: 'Sessions by state',
      labelNames: ['state'],
      registers,
    }),
    errors: new Counter({
      name: 'portolan_registry_errors_total',
      help: 'Failures inside the registry, by the loop that met them',
      labelNames: ['loop'],
      registers,
    }),
    lastErrorSeconds: new Gauge({
      name: 'portolan_registry_last_error_timestamp_seconds',
      help: 'When a loop failed last, in seconds since 1970',
      labelNames: ['loop'],
      registers,
    }),
    heldUp: new Counter({
      name: 'portolan_registry_late_checks_total',
      help: 'Lease checks that came late because the process was busy or stopped; leases were extended',
      registers,
    }),
  }
}
