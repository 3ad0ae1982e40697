import { hostname } from 'node:os'
import { performance } from 'node:perf_hooks'
import { openResolver } from '@portolan/client'
import { formatHostPort, type HostPort, isLoopback, type RouteTable } from '@portolan/core'
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
 * Composes the gateway alone: the data path over a resolver that has a session with a registry. It serves what it knew
 * last for as long as no registry answers.
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
  // Until the registry has told its own: on loopback every service is reachable by its name, elsewhere none is.
  const local = listen.every(({ host }) => host === 'localhost' || isLoopback(host))
  const first: RouteTable = { routes: [], exposed: local ? 'all' : [] }
  let routed = false

  const gateway = await openGateway({
    resolver,
    routes: first,
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
    await resolver.close()
    throw fault
  })
  const stopRoutes = resolver.watchRoutes(table => {
    routed = true
    gateway.setRoutes(table)
  })
  const close = async (): Promise<void> => {
    stopRoutes()
    await gateway.close()
    await resolver.close()
  }
  const admin = await openAdmin({ listen: options.admin, metrics, ready: () => routed }).catch(
    async fault => {
      await close()
      throw fault
    },
  )
  return {
    addresses: gateway.addresses,
    admin: admin.address,
    whenJoined: timeoutMs => resolver.whenConnected(timeoutMs),
    close: async () => {
      await close()
      await admin.close()
    },
  }
}
