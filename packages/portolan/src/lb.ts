import { hostname } from 'node:os'
import { performance } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import { type OpenResolver, openResolver } from '@portolan/client'
import { formatHostPort, type HostPort, type RouteTable, type Unsubscribe } from '@portolan/core'
import { collectDefaultMetrics, Registry as Metrics } from 'prom-client'
import type { Log } from './observe/log.ts'
import { openAdmin } from './proxy/admin.ts'
import { openGateway } from './proxy/gateway.ts'

export interface LbOptions {
  /** The registries to join: any of them that answers. */
  readonly join: readonly string[]
  readonly listen: readonly HostPort[]
  readonly admin: HostPort
  readonly trustedProxies: readonly string[]
  /** Where it runs: instances of its own zone are preferred. */
  readonly zone?: string
  readonly token?: string
  /** Ends the wait for a registry at the start. */
  readonly signal?: AbortSignal
  readonly log: Log
}

export interface Lb {
  /** `host:port` of the gateway and of its admin address, as they listen. */
  readonly addresses: readonly string[]
  readonly admin: string
  /** Resolves when a registry has answered; rejects after `timeoutMs`. The gateway goes on trying either way. */
  whenJoined(timeoutMs: number): Promise<void>
  close(): Promise<void>
}

/** Names a gateway of this machine among all callers, by where it was told to listen: its subset follows from it. */
export function gatewayName(listen: readonly HostPort[]): string {
  return `${hostname()} ${listen.map(({ host, port }) => formatHostPort(host, port)).join()}`
}

/**
 * For how long the port stays closed while no registry has told the routes. Whoever is refused a connection, a client or
 * a proxy before us, knows that nothing was sent, and may ask again or elsewhere, whatever the method; an answer, 503 too,
 * is taken for one. So a gateway that is started anew opens its port with its routes in its hands: its registry answers
 * within milliseconds. Where none comes, a 503 that says so helps people more than a closed port.
 */
const closedMs = 3000

/**
 * Composes the gateway alone: the data path over a resolver that has a session with a registry. It serves what it knew
 * last for as long as no registry answers; before one has told the routes it serves nothing, since nobody knows yet
 * which requests may pass, and by which filters.
 * @throws Fault `address_in_use`, `config_invalid`
 */
export async function startLb(options: LbOptions): Promise<Lb> {
  const { join, listen, log } = options
  const metrics = new Metrics()
  collectDefaultMetrics({ register: metrics })
  const resolver = openResolver({
    urls: join,
    kind: 'proxy',
    ...(options.token === undefined ? {} : { token: options.token }),
    onFault: fault => log.warn({ code: fault.code }, fault.message),
  })
  let isRouted = false
  const admin = await openAdmin({ listen: options.admin, metrics, ready: () => isRouted }).catch(
    async fault => {
      await resolver.close()
      throw fault
    },
  )
  const first = await firstRoutes(resolver, options.signal)
  const gateway = await openGateway({
    resolver,
    routes: first.routes,
    settings: {
      listen,
      trustedProxies: options.trustedProxies,
      client: gatewayName(listen),
      ...(options.zone === undefined ? {} : { zone: options.zone }),
    },
    clock: { now: () => performance.now() },
    random: Math.random,
    log,
    metrics,
  }).catch(async fault => {
    first.stop()
    await resolver.close()
    await admin.close()
    throw fault
  })
  isRouted = first.routes !== undefined
  const stopRoutes = resolver.watchRoutes(table => {
    isRouted = true
    gateway.setRoutes(table)
  })
  first.stop()
  return {
    addresses: gateway.addresses,
    admin: admin.address,
    whenJoined: timeoutMs => resolver.whenConnected(timeoutMs),
    close: async () => {
      stopRoutes()
      await gateway.close()
      await resolver.close()
      await admin.close()
    },
  }
}

/** What a registry tells first, if that comes soon. It is listened to until `stop`. */
async function firstRoutes(
  resolver: OpenResolver,
  signal: AbortSignal | undefined,
): Promise<{ readonly routes: RouteTable | undefined; readonly stop: Unsubscribe }> {
  const told = new AbortController()
  const tables: RouteTable[] = []
  const stop = resolver.watchRoutes(table => {
    tables.push(table)
    told.abort()
  })
  const enough = AbortSignal.any(signal === undefined ? [told.signal] : [told.signal, signal])
  await setTimeout(closedMs, undefined, { signal: enough }).catch(() => {})
  return { routes: tables.at(-1), stop }
}
