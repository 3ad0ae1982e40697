import type { Socket } from 'node:net'
import {
  type Clock,
  diceFrom,
  formatHostPort,
  type Milliseconds,
  type Random,
  type Resolver,
  type RouteTable,
} from '@portolan/core'
import type { Registry } from 'prom-client'
import type { Log } from '../observe/log.ts'
import type { RouteRequest } from './admission.ts'
import { exportAuthMetrics } from './auth/auth-hooks.ts'
import { ClientConnection } from './client-connection.ts'
import { Deadlines } from './deadlines.ts'
import { hookServices } from './filters/auth.ts'
import { type FilterEntry, filters } from './filters/filters.ts'
import { Hops } from './hops.ts'
import { exportAccessLogMetrics } from './journal/access-log.ts'
import { exportTracerMetrics } from './journal/tracer.ts'
import type { DescriptorCount } from './limits/descriptors.ts'
import { Door, mostTurnedAway } from './limits/door.ts'
import { exportLimitMetrics } from './limits/metrics.ts'
import { Pace } from './limits/pace.ts'
import { closeServer, openListeners } from './listeners.ts'
import { exportGatewayMetrics, GatewayMetrics } from './metrics.ts'
import { Outlook } from './outlook.ts'
import { openPathContext } from './path-context.ts'
import { exportPoolMetrics } from './pool/metrics.ts'
import { ownOptions, problems } from './problem.ts'
import { exportRateMetrics } from './rate/metrics.ts'
import { Router } from './router.ts'
import { Services } from './services.ts'
import { defaultGatewaySettings, type GatewaySettings } from './settings.ts'
import { knownNetworks } from './trusted-proxies.ts'

export interface GatewayOptions {
  readonly resolver: Resolver
  /** `undefined`: nobody has told them yet. Until somebody does, every request is answered with 503 `not_ready`. */
  readonly routes: RouteTable | undefined
  /** What differs from {@link defaultGatewaySettings}. */
  readonly settings?: Partial<GatewaySettings>
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Default: {@link filters}, all that there are. */
  readonly filters?: readonly FilterEntry[]
  /** Where the gateway's metrics are shown. */
  readonly metrics: Registry
  /** The CPU time that this process has used so far. Default: as the system counts it. */
  readonly cpuMs?: () => Milliseconds
  /** The descriptors of this process. Default: as the system counts them. */
  readonly countDescriptors?: () => DescriptorCount
}

const noRoutes: RouteTable = { routes: [], exposed: [] }

function ownCpuMs(): Milliseconds {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

export interface Gateway {
  /** Each `host:port` as it listens. */
  readonly addresses: readonly string[]
  /** The first one's. */
  readonly port: number
  readonly stats: GatewayMetrics
  /** Routes by this table from the next request on. */
  setRoutes(table: RouteTable): void
  /** Takes no new connection, lets requests end (for `drainMs`), and ends what is left. */
  close(): Promise<void>
}

/**
 * Opens the HTTP/1.1 gateway. The path of a request: docs/life-of-a-request.md.
 * @throws Fault `address_in_use`, `config_invalid`
 */
export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  const settings = { ...defaultGatewaySettings, ...options.settings }
  const hops = new Hops()
  const { clock, log } = options
  const stats = new GatewayMetrics()
  const deadlines = new Deadlines(settings.sweepMs, clock)
  const path = openPathContext({
    settings,
    clock,
    deadlines,
    log,
    random: options.random,
    metrics: stats,
    countDescriptors: options.countDescriptors,
  })
  const entries = options.filters ?? filters
  const services = new Services(path, options.resolver, options.random)
  path.lookUp = name => services.get(name)
  const outlook = new Outlook(path, services, options.random, options.cpuMs ?? ownCpuMs)
  const connections = new Set<ClientConnection>()
  const dice = diceFrom(options.random)
  let router = options.routes && new Router(options.routes, dice)
  const door = new Door(path)
  const pace = new Pace(path, connections)

  const route: RouteRequest = (bytes, head, hop) => {
    if (head.method === 'CONNECT') return problems.connect
    if (router === undefined) return problems.notReady
    if (head.maxForwards === 0) return head.method === 'TRACE' ? problems.trace : ownOptions
    const found = router.route(bytes, head, hop)
    if (found === undefined) return problems.noRoute
    if ('status' in found) return found
    const service = services.get(found.service)
    if (service === undefined) return problems.tooManyServices
    return service.mark.isOn(bytes, head) ? problems.loop : found.passages.to(service, path, entries)
  }

  const accept = (socket: Socket): void => {
    // Gone before it was accepted.
    if (socket.remoteAddress === undefined) return void socket.destroy()
    const hop = hops.of(socket.remoteAddress)
    if (!door.admits(socket, hop)) return
    const connection = new ClientConnection(path, socket, hop, route)
    connections.add(connection)
    socket.once('close', () => connections.delete(connection))
  }

  /** What this gateway alone was told goes before what all are. */
  const trustBy = ({ trustedProxies = [] }: RouteTable): void => {
    const own = settings.trustedProxies
    if (!hops.trust(own.length > 0 ? own : knownNetworks(trustedProxies))) return
    for (const connection of connections) connection.hop = hops.of(connection.hop.peer)
  }

  trustBy(options.routes ?? noRoutes)
  const listeners = await openListeners(settings, accept, () => {
    stats.connectionsRefused++
    stats.struck.connections++
  })
  for (const { server } of listeners)
    server.on('error', error => log.error({ err: error }, 'gateway listener'))
  const limitBy = ({ limits, routes }: RouteTable): void => {
    path.routeLimits.configure(routes)
    path.limits = { ...settings.limits, ...limits }
    for (const { server } of listeners) server.maxConnections = path.limits.connections + mostTurnedAway
  }
  const setRoutes = (table: RouteTable, its: Router | undefined): void => {
    path.accessLog.configure(table.accessLog ?? {})
    path.tracer.configure(table.tracing)
    router = its
    limitBy(table)
    trustBy(table)
    services.configure([...(its?.services ?? []), ...hookServices(table)], table)
  }
  setRoutes(options.routes ?? noRoutes, router)
  deadlines.open()
  exportGatewayMetrics(stats, options.metrics)
  exportPoolMetrics(stats.services, options.metrics)
  exportRateMetrics(stats.services, options.metrics)
  exportAccessLogMetrics(path.accessLog, options.metrics)
  exportTracerMetrics(path.tracer, options.metrics)
  exportAuthMetrics(path.authHooks, options.metrics)
  exportLimitMetrics(path, options.metrics)
  const addresses = listeners.map(({ host, port }) => formatHostPort(host, port))
  log.info({ addresses }, 'gateway listens')

  const close = async (): Promise<void> => {
    path.draining = true
    const closed = Promise.all(listeners.map(({ server }) => closeServer(server)))
    for (const connection of connections) connection.drain()
    const timer = setTimeout(() => {
      for (const connection of connections) connection.destroy()
    }, settings.drainMs)
    await closed
    clearTimeout(timer)
    deadlines.close()
    outlook.close()
    pace.close()
    services.close()
    // A socket says that it is closed after the server has counted it as that: what it cut is to be told of, too.
    while (connections.size > 0) await new Promise(resolve => setImmediate(resolve))
    await Promise.all([path.accessLog.close(), path.tracer.close(), path.authHooks.close()])
  }
  let closing: Promise<void> | undefined
  return {
    addresses,
    port: listeners[0]?.port ?? 0,
    stats,
    setRoutes: table => setRoutes(table, new Router(table, dice)),
    close() {
      closing ??= close()
      return closing
    },
  }
}
