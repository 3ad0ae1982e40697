import { type Check, seededRandom } from '@portolan/core'
import { pino } from 'pino'
import { Registry as MetricsRegistry } from 'prom-client'
import { openRegistry } from '../../registry/open-registry.ts'
import type { Registry, Tether } from '../../registry/registry.ts'
import { nameOf, owner, registrationOf } from '../../registry/testing/open-tested.ts'
import { type VirtualTime, virtualTime } from '../../registry/testing/virtual-time.ts'
import { openMemoryStore } from '../../store/memory.ts'
import type { Store } from '../../store/store.ts'
import type { Health } from '../health.ts'
import type { Looked, Probes } from '../looks.ts'
import { type HealthOptions, openHealth } from '../open-health.ts'
import type { Finding, Probe, ProbeTarget } from '../probes/probe.ts'
import { toBeTested } from '../to-be-tested.ts'

/** What a look finds, and after how long; `silent` = it never ends by itself. */
export type Answer = (target: ProbeTarget<Looked>) => Partial<Finding> | 'silent'

export interface Tested {
  readonly health: Health
  readonly registry: Registry
  readonly time: VirtualTime
  readonly metrics: MetricsRegistry
  /** Every look that began: whose, by which check, and when. */
  readonly looks: {
    readonly id: string
    readonly check: string
    readonly at: number
    readonly fresh: boolean
  }[]
  /** Looks that began and neither settled nor were cancelled. */
  readonly open: number
  answer: Answer
  register(id: string, options?: RegisterOptions): Promise<number>
  /** Kinds and owners of the causes: `tcp/tcp`. */
  causes(id: string, service?: string): readonly string[]
  restart(options?: Partial<TestedOptions>): Promise<Tested>
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number>
  close(): Promise<void>
}

export interface RegisterOptions {
  readonly checks?: readonly Check[]
  readonly tether?: Tether
  readonly session?: string
  readonly service?: string
  readonly port?: number
}

export interface TestedOptions extends Partial<Pick<HealthOptions, 'checks' | 'limits' | 'log'>> {
  readonly store?: Store
  readonly answer?: Answer
  readonly time?: VirtualTime
}

export const pass: Partial<Finding> = { status: 'passing', presence: 'answered', reason: '', latencyMs: 2 }
export const refuse: Partial<Finding> = {
  status: 'critical',
  presence: 'refused',
  reason: 'refused',
  latencyMs: 1,
}

/** Health checking over a real registry and a memory store, in virtual time; looks find what the test says. */
export async function openTested(options: TestedOptions = {}): Promise<Tested> {
  const { store = openMemoryStore(), time = virtualTime(), answer = () => pass, ...rest } = options
  const metrics = new MetricsRegistry()
  const log = pino({ level: 'silent' })
  const scripted = { answer }
  const looks: Tested['looks'][number][] = []
  const open = new Set<object>()

  const probe: Probe<Looked> = {
    start(target, settle) {
      const { instance, check, fresh } = target
      looks.push({ id: instance.id, check: check.id, at: time.now(), fresh })
      const found = scripted.answer(target)
      const self = {}
      open.add(self)
      const end = (): void => {
        open.delete(self)
        cancel()
      }
      const finding = found === 'silent' ? undefined : { ...plain, ...found }
      const cancel =
        finding === undefined
          ? () => {}
          : time.after(finding.latencyMs, () => {
              if (open.delete(self)) settle(finding)
            })
      return { cancel: end }
    },
    async close() {},
  }
  const probes: Probes = {
    tcp: probe as never,
    http: probe as never,
    grpc: probe as never,
    script: probe as never,
  }
  const health = openHealth({
    clock: time,
    timers: time,
    random: seededRandom(5),
    log,
    metrics,
    probes,
    ...rest,
  })
  const registry = await openRegistry({
    store,
    clock: time,
    timers: time,
    random: seededRandom(looks.length + Math.floor(time.now())),
    prober: health.prober,
    log,
    metrics,
  })
  health.attach(registry)

  const close = async (): Promise<void> => {
    const closing = registry.close()
    await health.close()
    await closing
  }
  return {
    health,
    registry,
    time,
    metrics,
    looks,
    get open() {
      return open.size
    },
    set answer(next: Answer) {
      scripted.answer = next
    },
    get answer() {
      return scripted.answer
    },
    async register(id, { checks, tether, session, ...more } = {}) {
      const by = tether ?? (session === undefined ? 'lease' : 'session')
      const { incarnation } = await registry.register(
        toBeTested(health, {
          registration: registrationOf(id, { address: '127.0.0.1', ...more }),
          principal: owner,
          source: 'http',
          tether: by,
          ...(session === undefined ? {} : { session }),
          ...(checks === undefined ? {} : { checks }),
        }),
      )
      return incarnation
    },
    causes: (id, service) =>
      (registry.find(nameOf(id, service))?.causes ?? []).map(({ kind, owner: by }) => `${kind}/${by}`),
    async restart(changed = {}) {
      await close()
      return openTested({ ...options, store, time, answer: scripted.answer, ...changed })
    },
    async metric(name, labels = {}) {
      const found = await metrics.getSingleMetric(name)?.get()
      return (found?.values ?? [])
        .filter(value => Object.entries(labels).every(([label, wanted]) => value.labels[label] === wanted))
        .reduce((sum, { value }) => sum + value, 0)
    },
    close,
  }
}

const plain: Finding = { status: 'passing', presence: 'answered', reason: '', latencyMs: 2 }
