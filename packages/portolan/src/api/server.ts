import type { IncomingMessage, ServerResponse } from 'node:http'
import { performance } from 'node:perf_hooks'
import type { Clock } from '@portolan/core'
import type { Registry as MetricsRegistry } from 'prom-client'
import type { DeclaredAt } from '../config/declared.ts'
import type { Health, HeardAgo } from '../health/health.ts'
import type { Log } from '../observe/log.ts'
import type { Access } from '../registry/access/access.ts'
import type { Registry } from '../registry/registry.ts'
import { targetGuard } from '../registry/targets.ts'
import type { ApiContext, RouteSource } from './context.ts'
import { checkBind } from './guard/bind.ts'
import { type Doors, refusal } from './guard/guard.ts'
import { openApp } from './http/app.ts'
import { configEndpoints } from './http/config.ts'
import { instanceEndpoints } from './http/instances.ts'
import { mount } from './http/mount.ts'
import { operationEndpoints } from './http/operations.ts'
import { mountPages } from './http/pages.ts'
import { prometheusEndpoints } from './http/prometheus.ts'
import { serviceEndpoints } from './http/services.ts'
import { tokenEndpoints } from './http/tokens.ts'
import { openListeners } from './listen/listeners.ts'
import { openApiMetrics } from './metrics.ts'
import { writeProblem } from './problem/raw.ts'
import { openSessions } from './session/sessions.ts'
import { type ApiSettings, defaultLimits, defaultPort, defaultTimes } from './settings.ts'
import { openEventStreams } from './sse/streams.ts'
import { upgradeListener } from './upgrade.ts'

export interface ApiOptions {
  readonly registry: Registry
  readonly access: Access
  readonly health?: Health
  readonly routes: RouteSource
  /** Asked at each write, so that it may change with the file. Default: no file, nothing is declared. */
  readonly declaredAt?: DeclaredAt
  /** The keys that were changed in the file and wait for the next start. Default none. */
  readonly atNextStart?: () => readonly string[]
  /** Networks and IP:PORT that are no forbidden targets of instances; asked at each registration. Default none. */
  readonly allowedTargets?: () => readonly string[]
  readonly log: Log
  readonly metrics: MetricsRegistry
  readonly settings: ApiSettings
  /** Shown on the front page and in the OpenAPI document. */
  readonly version: string
  /** Default: the process's monotonic clock. */
  readonly clock?: Clock
}

export interface Api {
  /** As URLs: `http://127.0.0.1:7400`. */
  readonly addresses: readonly string[]
  /** When a program's session answered last. */
  readonly heardAgo: HeardAgo
  /** Ends sessions and streams, answers what is under way, closes the listeners. */
  close(): Promise<void>
}

const systemClock: Clock = { now: () => performance.now() }

/**
 * Opens the native API on all its listeners: HTTP, event streams and sessions.
 * @throws Fault `tls_required`, `address_in_use`, `config_invalid`
 */
export async function openApi(options: ApiOptions): Promise<Api> {
  const { registry, access, routes, log, settings, version } = options
  const { clock = systemClock, declaredAt = () => undefined, allowedTargets = () => [], health } = options
  const { atNextStart = () => [] } = options
  const protection = {
    tls: settings.tls !== undefined,
    anonymous: access.anonymous,
    insecure: settings.insecure ?? false,
  }
  for (const { host } of settings.listen ?? []) checkBind(host, protection)

  const limits = { ...defaultLimits, ...settings.limits }
  const times = { ...defaultTimes, ...settings.times }
  const metrics = openApiMetrics(options.metrics)
  // Those that are known, before the first listener takes a request.
  const listened = settings.listen?.map(({ port }) => port) ?? [defaultPort]
  const controlPorts = new Set([...(settings.controlPorts ?? []), ...listened])
  const guardTargets = targetGuard({ allowed: allowedTargets, controlPorts: () => controlPorts })
  const context: ApiContext = {
    registry,
    access,
    health,
    routes,
    declaredAt,
    atNextStart,
    guardTargets,
    log,
    metrics,
    limits,
    times,
    clock,
  }
  const doors: Doors = { names: settings.names ?? [], origins: settings.origins ?? [] }

  const sessions = openSessions(context)
  const streams = openEventStreams(context)
  const endpoints = [
    ...serviceEndpoints(context),
    ...instanceEndpoints(context, { streams }),
    ...operationEndpoints(context, sessions.roster.mayStop),
    ...tokenEndpoints(context),
    ...configEndpoints(context),
    ...prometheusEndpoints(context),
  ]
  const app = openApp(context)
  mount(app, endpoints, context)
  let ready = true
  mountPages(app, context, {
    endpoints,
    version,
    metrics: options.metrics,
    gateway: settings.gateway,
    ready: () => ready,
  })
  await app.ready()

  const listeners = await openListeners({
    listen: settings.listen,
    tls: settings.tls,
    limits,
    log,
    request: guarded,
    upgrade: upgradeListener(context, doors, sessions),
  })

  // Where port 0 was asked for.
  for (const address of listeners.addresses) controlPorts.add(portOf(address))

  /** Nothing of the framework runs for a request that comes to the wrong door. */
  function guarded(request: IncomingMessage, response: ServerResponse): void {
    const refused = refusal(request, doors)
    if (refused === undefined) {
      app.routing(request, response)
      return
    }
    metrics.refused.inc({ code: refused.code })
    writeProblem(response, refused)
  }

  return {
    addresses: listeners.addresses,
    heardAgo: sessions.heardAgo,
    async close() {
      ready = false
      streams.close()
      sessions.close()
      await listeners.close(times.goodbye)
      await app.close()
    },
  }
}

/** URLs leave out the usual port of their scheme. */
function portOf(address: string): number {
  const { port, protocol } = new URL(address)
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port)
}
