import { type Check, type Instance, type ProbeResult, type Registration, seededRandom } from '@portolan/core'
import { pino } from 'pino'
import { Registry as MetricsRegistry } from 'prom-client'
import { openMemoryStore } from '../../store/memory.ts'
import type { Store } from '../../store/store.ts'
import { openRegistry } from '../open-registry.ts'
import { parseRegistration } from '../registration.ts'
import type { Principal, Registry, Subscription, Tether, ViewChange } from '../registry.ts'
import type { RegistrySettings } from '../settings.ts'
import { type VirtualTime, virtualTime } from './virtual-time.ts'

type Answer = (instance: Instance) => ProbeResult | Promise<ProbeResult>

export interface Tested {
  readonly registry: Registry
  readonly store: Store
  readonly time: VirtualTime
  readonly metrics: MetricsRegistry
  /** Ids that were probed, in order. */
  readonly probed: string[]
  /** What was logged, in order. */
  readonly logged: Readonly<Record<string, unknown>>[]
  /** What a probe of an instance finds; `silent` unless a test says otherwise. */
  answer: Answer
  /** Another registry over the same store, as after a restart. */
  restart(): Promise<Tested>
  /** A metric's value, all its labels together. */
  metric(name: string): Promise<number>
}

export interface TestedOptions {
  readonly store?: Store
  readonly settings?: Partial<RegistrySettings>
  readonly seed?: number
  readonly answer?: Answer
}

/** A registry over a memory store, in virtual time, whose probes find what the test says. */
export async function openTested(options: TestedOptions = {}): Promise<Tested> {
  const { store = openMemoryStore(), settings, seed = 1 } = options
  const time = virtualTime()
  const metrics = new MetricsRegistry()
  const probed: string[] = []
  const logged: Record<string, unknown>[] = []
  const probing = { answer: options.answer ?? (() => 'silent' as const) }
  const registry = await openRegistry({
    store,
    clock: time,
    timers: time,
    random: seededRandom(seed),
    prober: {
      async probe(instance) {
        probed.push(instance.id)
        return probing.answer(instance)
      },
    },
    log: pino({ level: 'info' }, { write: line => logged.push(JSON.parse(line)) }),
    metrics,
    ...(settings === undefined ? {} : { settings }),
  })
  return {
    registry,
    store,
    time,
    metrics,
    probed,
    logged,
    set answer(answer: Answer) {
      probing.answer = answer
    },
    get answer() {
      return probing.answer
    },
    async restart() {
      await registry.close()
      return openTested({ ...options, store, seed: seed + 1, answer: probing.answer })
    },
    async metric(name) {
      const found = await metrics.getSingleMetric(name)?.get()
      return (found?.values ?? []).reduce((sum, { value }) => sum + value, 0)
    },
  }
}

export const order = { namespace: 'default', service: 'order' }

export function nameOf(id: string, service = 'order') {
  return { namespace: 'default', service, id }
}

export const owner: Principal = { name: 'shop', admin: false }
export const admin: Principal = { name: 'root', admin: true }

export function registrationOf(id: string, more: Readonly<Record<string, unknown>> = {}): Registration {
  return parseRegistration({ service: 'order', id, address: '10.0.0.1', port: 8080, ...more })
}

export interface RegisterOptions {
  readonly session?: string
  readonly tether?: Tether
  readonly principal?: Principal
  /** Fields of the registration. */
  readonly service?: string
  readonly port?: number
  readonly version?: string
  readonly weight?: number
  /** Beside the registration. */
  readonly checks?: readonly Check[]
  readonly starting?: string
}

/** Registers `id`, with a lease unless a session or another tether is given. */
export function register({ registry }: Tested, id: string, options: RegisterOptions = {}) {
  const {
    session,
    tether = session === undefined ? 'lease' : 'session',
    principal = owner,
    checks,
    starting,
    ...more
  } = options
  return registry.register({
    registration: registrationOf(id, more),
    principal,
    source: tether === 'process' ? 'process' : session === undefined ? 'http' : 'session',
    tether,
    ...(session === undefined ? {} : { session }),
    ...(checks === undefined ? {} : { checks }),
    ...(starting === undefined ? {} : { starting }),
  })
}

/** Everything that a subscription was told. */
export interface Recorded {
  readonly changes: ViewChange[]
  readonly subscription: Subscription
  /** What the next pushes are answered with; false = congested. */
  takes: boolean
}

export function record({ registry }: Tested, service = 'order', picks?: string): Recorded {
  const changes: ViewChange[] = []
  const answer = { takes: true }
  const receive = (change: ViewChange): boolean => {
    changes.push(change)
    return answer.takes
  }
  const subscription = registry.subscribe(
    { namespace: 'default', service },
    undefined,
    receive,
    picks === undefined ? undefined : { who: picks },
  )
  return {
    changes,
    subscription,
    set takes(takes: boolean) {
      answer.takes = takes
    },
    get takes() {
      return answer.takes
    },
  }
}
