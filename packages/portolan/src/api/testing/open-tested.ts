import { performance } from 'node:perf_hooks'
import { type ProbeResult, type Registration, type RouteTable, seededRandom } from '@portolan/core'
import { pino } from 'pino'
import { Registry as MetricsRegistry } from 'prom-client'
import type { DeclaredAt } from '../../config/declared.ts'
import type { Health } from '../../health/health.ts'
import { type Access, type AccessOptions, openAccess } from '../../registry/access/access.ts'
import { openRegistry } from '../../registry/open-registry.ts'
import type { Registry } from '../../registry/registry.ts'
import { openMemoryStore } from '../../store/memory.ts'
import type { RouteSource } from '../context.ts'
import { type Api, openApi } from '../server.ts'
import type { ApiSettings } from '../settings.ts'

export interface Tested {
  readonly url: string
  readonly port: number
  readonly api: Api
  readonly registry: Registry
  readonly access: Access
  readonly metrics: MetricsRegistry
  setRoutes(table: RouteTable): void
  close(): Promise<void>
}

export interface TestedOptions extends Partial<Pick<AccessOptions, 'anonymous' | 'configured'>> {
  readonly settings?: ApiSettings
  /** What every probe finds. Default `silent`. */
  readonly found?: ProbeResult
  readonly declaredAt?: DeclaredAt
  readonly health?: Health
  readonly allowedTargets?: () => readonly string[]
}

/** A whole server over a memory store, on a free port: real registry, real access, real sockets. */
export async function openTested(options: TestedOptions = {}): Promise<Tested> {
  const { anonymous = 'admin', configured = [], settings, found = 'silent' } = options
  const { declaredAt, health, allowedTargets } = options
  const log = pino({ level: 'silent' })
  const store = openMemoryStore()
  const metrics = new MetricsRegistry()
  const registry = await openRegistry({
    store,
    log,
    metrics,
    clock: { now: () => performance.now() },
    random: seededRandom(7),
    prober: { probe: async () => found },
  })
  const access = await openAccess({ store, log, anonymous, configured })
  const routes = changeableRoutes()
  const api = await openApi({
    registry,
    access,
    routes,
    log,
    metrics,
    version: '0.0.0-test',
    ...(declaredAt === undefined ? {} : { declaredAt }),
    ...(health === undefined ? {} : { health }),
    ...(allowedTargets === undefined ? {} : { allowedTargets }),
    settings: { listen: [{ host: '127.0.0.1', port: 0 }], ...settings },
  })
  const url = api.addresses[0] ?? ''
  return {
    url,
    port: Number(new URL(url).port),
    api,
    registry,
    access,
    metrics,
    setRoutes: routes.set,
    async close() {
      await api.close()
      await access.close()
      await registry.close()
      await store.close()
    },
  }
}

/** Who {@link registered} instances belong to. */
export const someone = { name: 'ops', admin: true }

/** Registers an instance of `someone`'s at 127.0.0.1:8080; what else matters about it is in `more`. */
export async function registered(
  { registry }: Tested,
  service: string,
  id: string,
  more: Partial<Registration> = {},
): Promise<void> {
  await registry.register({
    registration: {
      namespace: 'default',
      service,
      id,
      addresses: ['127.0.0.1'],
      ports: [{ name: 'http', number: 8080, protocol: 'http', tls: false }],
      weight: 1,
      tags: [],
      metadata: {},
      ...more,
    },
    principal: someone,
    source: 'http',
    tether: 'lease',
  })
}

function changeableRoutes(): RouteSource & { set(table: RouteTable): void } {
  const receivers = new Set<(table: RouteTable) => void>()
  let table: RouteTable = { routes: [{ match: { path: '/' }, service: 'order' }], exposed: 'all' }
  return {
    get table() {
      return table
    },
    subscribe(receive) {
      receivers.add(receive)
      return () => receivers.delete(receive)
    },
    set(next) {
      table = next
      for (const receive of receivers) receive(next)
    },
  }
}
