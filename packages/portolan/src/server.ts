import { resolve } from 'node:path'
import { performance } from 'node:perf_hooks'
import { formatHostPort, type HostPort } from '@portolan/core'
import { collectDefaultMetrics, Registry as Metrics } from 'prom-client'
import { type Api, openApi } from './api/server.ts'
import { hasAffinity } from './config/affinity.ts'
import { readAffinitySecrets } from './config/affinity-secret.ts'
import { declaredInstances } from './config/declared.ts'
import { hasIPv6Loopback } from './config/ipv6-loopback.ts'
import type { LoadedConfig } from './config/load.ts'
import { atNextStart, tellReload } from './config/next-start.ts'
import {
  anonymousRights,
  checksOf,
  dataFolder,
  healthLimits,
  listenAddresses,
  namedServices,
  routeTable,
  staticMembers,
  tokens,
} from './config/resolve.ts'
import { routesOf } from './config/routes.ts'
import { dnsArguments } from './dns-arguments.ts'
import { openHealth } from './health/open-health.ts'
import { grpcProbe } from './health/probes/grpc.ts'
import { httpProbe } from './health/probes/http.ts'
import { scriptProbe } from './health/probes/script.ts'
import { tcpProbe } from './health/probes/tcp.ts'
import { lbArguments } from './lb-arguments.ts'
import type { Log } from './observe/log.ts'
import { openAccess } from './registry/access/access.ts'
import { keptSecret } from './registry/kept-secret.ts'
import { openRegistry } from './registry/open-registry.ts'
import type { Registry } from './registry/registry.ts'
import { applyStaticMembers } from './sources/static-members.ts'
import { openLmdbStore } from './store/lmdb.ts'
import type { Store } from './store/store.ts'
import { openFleet } from './workloads/fleet.ts'
import type { Workloads } from './workloads/workloads.ts'

export type Role = 'registry' | 'gateway' | 'dns'

export interface ServerOptions {
  readonly loaded: LoadedConfig
  readonly roles: readonly Role[]
  readonly version: string
  /** The command line that runs this program, to which `lb` and its options are added for the gateway. */
  readonly self: readonly string[]
  /** A line of a program whose output is to be shown. */
  readonly show: (line: string) => void
  /** What the person who started it should know. Default: a line of the log. */
  readonly warn?: (line: string) => void
  readonly log: Log
}

export interface Server {
  /** URLs of the API. */
  readonly api: readonly string[]
  /** Where the gateway listens, and where it shows itself; nowhere = it is not run here. */
  readonly gateway: readonly HostPort[]
  readonly admin: HostPort
  /** The same of DNS. */
  readonly dns: readonly HostPort[]
  readonly dnsAdmin: HostPort
  readonly data: string
  readonly registry: Registry
  readonly workloads: Workloads
  /** Takes another configuration as far as it can change while running; resolves with the keys that wait for the next start. */
  reload(loaded: LoadedConfig): Promise<readonly string[]>
  /** Drains and ends everything that it started. `now`, also while a `close` is under way: without grace. */
  close(options?: { readonly now?: boolean }): Promise<void>
}

const clock = { now: () => performance.now() }

/** What was opened, closed again in the opposite order. */
class Opened {
  readonly #closers: (() => Promise<unknown> | undefined)[] = []

  add(close: () => Promise<unknown> | undefined): void {
    this.#closers.push(close)
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close()
  }
}

/**
 * Composes registry, API, static members and supervised programs, the gateway among them.
 * @throws Fault `address_in_use`, `config_invalid`, `data_dir_locked`, `store_failed`, `tls_required`
 */
export async function startServer(options: ServerOptions): Promise<Server> {
  const opened = new Opened()
  try {
    return await compose(options, opened)
  } catch (thrown) {
    await opened.close()
    throw thrown
  }
}

async function compose(options: ServerOptions, opened: Opened): Promise<Server> {
  const { loaded, log } = options
  const { config } = loaded
  const data = dataFolder(loaded)
  const metrics = new Metrics()
  collectDefaultMetrics({ register: metrics })
  const hasIPv6 = hasIPv6Loopback()
  const listen = listenAddresses(config.api.listen, 7400, hasIPv6)
  const gatewayListen = listenAddresses(config.gateway.listen, 7480, hasIPv6)
  const dnsListen = listenAddresses(config.dns.listen, 7453, hasIPv6)

  const store = await openLmdbStore({ directory: data, log })
  opened.add(() => store.close())
  const anonymous = anonymousRights(config, listen)
  const access = await openAccess({ store, log, anonymous, configured: tokens(loaded) })
  opened.add(() => access.close())
  const health = openHealth({
    clock,
    random: Math.random,
    log,
    metrics,
    probes: {
      tcp: tcpProbe(),
      http: httpProbe(),
      grpc: grpcProbe(),
      script: scriptProbe({ env: process.env }),
    },
    checks: checksOf(loaded),
    limits: healthLimits(config),
  })
  opened.add(() => health.close())
  const registry = await openRegistry({
    store,
    clock,
    random: Math.random,
    prober: health.prober,
    log,
    metrics,
    settings: { leaseMs: config.registry.lease },
  })
  opened.add(() => registry.close())
  registry.declareServices(namedServices(config))
  // Before the registry: nothing is found any more that it would have to take down.
  opened.add(() => health.close())
  health.attach(registry)

  const leftOut = options.warn ?? ((line: string) => log.error(line))
  const routes = routesOf(routeTable(config, gatewayListen, await affinitySecrets(loaded, store)))
  const withGateway = options.roles.includes('gateway')
  const withDns = options.roles.includes('dns')
  let declaredAt = declaredInstances(loaded)
  let { allowTargets } = config.registry
  let waiting: readonly string[] = []
  const api = await openApi({
    registry,
    access,
    health,
    routes,
    declaredAt: name => declaredAt(name),
    allowedTargets: () => allowTargets,
    atNextStart: () => waiting,
    log,
    metrics,
    version: options.version,
    settings: apiSettings(loaded, listen, withGateway ? gatewayListen : [], withDns ? dnsListen : []),
  })
  opened.add(() => api.close())
  health.hearing(api.heardAgo)
  await applyStaticMembers(staticMembers(config), registry, health, leftOut)

  const url = localUrl(api)
  const fleet = await openFleet({
    loaded,
    registry,
    health,
    access,
    store,
    directory: data,
    url,
    own: {
      ...(withGateway
        ? { gateway: [...options.self, ...lbArguments(gatewayOptions(loaded, gatewayListen, url))] }
        : {}),
      ...(withDns
        ? { dns: [...options.self, ...dnsArguments({ join: [url], listen: dnsListen, config: config.dns })] }
        : {}),
    },
    show: options.show,
    clock,
    random: Math.random,
    log,
    metrics,
  })
  return {
    api: api.addresses,
    gateway: withGateway ? gatewayListen : [],
    admin: config.gateway.admin,
    dns: withDns ? dnsListen : [],
    dnsAdmin: config.dns.admin,
    data,
    registry,
    workloads: fleet.workloads,
    async reload(next) {
      const secrets = await affinitySecrets(next, store)
      declaredAt = declaredInstances(next)
      allowTargets = next.config.registry.allowTargets
      access.configure(tokens(next))
      registry.declareServices(namedServices(next.config))
      routes.set(routeTable(next.config, gatewayListen, secrets))
      health.configure(checksOf(next), healthLimits(next.config))
      await applyStaticMembers(staticMembers(next.config), registry, health, leftOut)
      await fleet.reload(next)
      waiting = atNextStart(config, next.config)
      log.info({ event: 'reload', atNextStart: waiting }, tellReload(waiting))
      return waiting
    },
    async close(closing) {
      await fleet.close(closing?.now === true)
      await opened.close()
    },
  }
}

/** What cookies are signed by: the same in all gateways, and after every start. None where no service has any. */
async function affinitySecrets(loaded: LoadedConfig, store: Store): Promise<readonly Uint8Array[]> {
  if (!hasAffinity(loaded.config)) return []
  return (await readAffinitySecrets(loaded)) ?? [await keptSecret(store, 'affinity')]
}

function gatewayOptions({ config }: LoadedConfig, listen: readonly HostPort[], url: string) {
  const { admin, zone } = config.gateway
  // Whom to trust comes with the routes, and changes with them.
  return { join: [url], listen, admin, trustedProxies: [], ...(zone === undefined ? {} : { zone }) }
}

function apiSettings(
  loaded: LoadedConfig,
  listen: readonly HostPort[],
  gateway: readonly HostPort[],
  dns: readonly HostPort[],
) {
  const { api, gateway: gatewayConfig, dns: dnsConfig } = loaded.config
  const { names, tls, insecure } = api
  const [first] = gateway
  return {
    listen,
    names,
    insecure,
    times: { lease: loaded.config.registry.lease },
    controlPorts: [
      gatewayConfig.admin.port,
      dnsConfig.admin.port,
      ...[...gateway, ...dns].map(({ port }) => port),
    ],
    ...(tls === undefined
      ? {}
      : { tls: { cert: resolve(loaded.folder, tls.cert), key: resolve(loaded.folder, tls.key) } }),
    ...(first === undefined ? {} : { gateway: `http://${formatHostPort(first.host, first.port)}` }),
  }
}

/** How programs on this machine reach the API: by the first address that is no "any". */
function localUrl(api: Api): string {
  const url = new URL(api.addresses[0] ?? 'http://127.0.0.1:7400')
  if (url.hostname === '0.0.0.0') url.hostname = '127.0.0.1'
  if (url.hostname === '[::]') url.hostname = '[::1]'
  return url.origin
}
