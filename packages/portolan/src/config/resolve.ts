import { resolve } from 'node:path'
import {
  type BreakerSettings,
  breakerDefaults,
  type Check,
  defaultPolicy,
  formatHostPort,
  type GatewayLimits,
  type HealthRules,
  type HostPort,
  isLoopback,
  limitDefaults,
  type Milliseconds,
  outlierDefaults,
  type PolicyName,
  parseServiceKey,
  type RouteTable,
  type ServiceName,
  serviceKey,
  slowStartDefaultMs,
} from '@portolan/core'
import { serviceAffinity } from './affinity.ts'
import { serviceAuths } from './auths.ts'
import { coreChecks } from './checks.ts'
import type { LoadedConfig } from './load.ts'
import { formatLine, type Path } from './problem.ts'
import { rateLimits } from './rate-limits.ts'
import { serviceRetries } from './retries.ts'
import { routeOf } from './route-of.ts'
import type { Config } from './schema.ts'

/** A static member: somebody that the file names and that does not register itself. */
export interface StaticMember extends ServiceName {
  /** Made from the address, so that it is the same after every start: `127.0.0.1-19001`. */
  readonly id: string
  /** `host` is an IP literal, or a name that whoever registers the member has to look up. */
  readonly address: HostPort
  /** Where the file names it. */
  readonly path: Path
}

/** A service's programs, to be started and kept running: what `openWorkloads` takes. */
export interface RunDefinition {
  /** The service's own: ids are `NAME-1`, `NAME-2`… */
  readonly name: string
  readonly service: ServiceName
  readonly command: readonly string[]
  readonly replicas: number
  /** Absent = a free one for each copy. */
  readonly port?: number
  readonly env: Readonly<Record<string, string>>
  /** Absolute. */
  readonly cwd: string
  /** Whether its output is shown on the server's terminal. */
  readonly console: boolean
  readonly drainGraceMs: Milliseconds
  readonly stopGraceMs: Milliseconds
}

const isLocal = ({ host }: HostPort): boolean => host === 'localhost' || isLoopback(host)

/** The given addresses, or `port` on the loopback addresses that this machine has. */
export function listenAddresses(
  given: readonly HostPort[] | undefined,
  port: number,
  hasIPv6Loopback: boolean,
): readonly HostPort[] {
  if (given !== undefined) return given
  const v4 = { host: '127.0.0.1', port }
  return hasIPv6Loopback ? [v4, { host: '::1', port }] : [v4]
}

/** Where what must survive restarts is kept: absolute. */
export function dataFolder({ config, folder }: LoadedConfig): string {
  return resolve(folder, config.data ?? '.portolan')
}

/**
 * What a gateway needs to know.
 * @param secrets what cookies of affinity are signed by
 */
export function routeTable(
  config: Config,
  gatewayListens: readonly HostPort[],
  secrets: readonly Uint8Array[] = [],
): RouteTable {
  const exposed = Object.entries(config.services)
    .filter(([, service]) => service.expose)
    .map(([key]) => key)
  const policies = balancerPolicies(config)
  const balance = spreadings(config)
  const outliers = outlierSettings(config)
  const breakers = breakerSettings(config)
  const rates = rateLimits(config)
  const timeouts = chosen(config, 'timeout')
  const poolIdle = chosen(config, 'poolIdle')
  const { maxBody, trustedProxies, via } = config.gateway
  const limits = gatewayLimits(config)
  return {
    routes: config.gateway.routes.map(routeOf),
    exposed: gatewayListens.every(isLocal) ? 'all' : exposed,
    ...(Object.keys(policies).length === 0 ? {} : { policies }),
    ...(Object.keys(balance).length === 0 ? {} : { balance }),
    ...(Object.keys(outliers).length === 0 ? {} : { outliers }),
    ...(Object.keys(breakers).length === 0 ? {} : { breakers }),
    ...(Object.keys(rates).length === 0 ? {} : { rateLimits: rates }),
    ...(Object.keys(timeouts).length === 0 ? {} : { timeouts }),
    ...(Object.keys(poolIdle).length === 0 ? {} : { poolIdle }),
    ...(maxBody === undefined ? {} : { maxBody }),
    ...(trustedProxies.length === 0 ? {} : { trustedProxies }),
    ...(via === 'portolan' ? {} : { via }),
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
    ...(config.gateway.accessLog.sample === 0 ? {} : { accessLog: config.gateway.accessLog }),
    ...tracingOf(config),
    ...serviceRetries(config),
    ...serviceAuths(config),
    ...serviceAffinity(config, secrets),
    ...concurrencyOf(config),
  }
}

/** The policy that a service is balanced by, by service key; the ones left out are balanced by least-request. */
export function balancerPolicies(config: Config): Readonly<Record<string, PolicyName>> {
  const chosen = Object.entries(config.services).flatMap(([key, { balancer }]) =>
    balancer.policy === defaultPolicy ? [] : [[key, balancer.policy]],
  )
  return Object.fromEntries(chosen)
}

/** Where a service's slow start, subset and keys are otherwise than by default, by service key. */
function spreadings(config: Config): NonNullable<RouteTable['balance']> {
  const chosen = Object.entries(config.services).flatMap(([key, { balancer }]) => {
    const { slowStart, subset, hashBy, hashBalanceFactor } = balancer
    const settings = {
      ...(slowStart === slowStartDefaultMs ? {} : { slowStartMs: slowStart }),
      ...(subset === 0 ? {} : { subset }),
      ...(hashBy === undefined ? {} : { hashBy }),
      ...(hashBalanceFactor === undefined ? {} : { hashBalanceFactor }),
    }
    return Object.keys(settings).length === 0 ? [] : [[key, settings]]
  })
  return Object.fromEntries(chosen)
}

/** Where a service's outliers differ from the defaults, by service key. */
function outlierSettings(config: Config): NonNullable<RouteTable['outliers']> {
  const chosen = Object.entries(config.services).flatMap(([key, { outliers }]) => {
    const { consecutive5xx, keepAtLeast, slowerThan } = outliers
    const settings = {
      ...(consecutive5xx === outlierDefaults.consecutive5xx ? {} : { consecutive5xx }),
      ...(keepAtLeast === undefined ? {} : { keepAtLeast }),
      ...(slowerThan === undefined ? {} : { latencyFactor: slowerThan }),
    }
    return Object.keys(settings).length === 0 ? [] : [[key, settings]]
  })
  return Object.fromEntries(chosen)
}

/** Where a service's circuit breaker differs from the defaults, by service key. */
function breakerSettings(config: Config): NonNullable<RouteTable['breakers']> {
  const chosen = Object.entries(config.services).flatMap(([key, { circuitBreaker }]) => {
    const { connections, pending, requests = breakerDefaults.requests, queueTimeout } = circuitBreaker
    const said: BreakerSettings = { connections, pending, requests, queueTimeoutMs: queueTimeout }
    const settings = differing(said, breakerDefaults)
    return Object.keys(settings).length === 0 ? [] : [[key, settings]]
  })
  return Object.fromEntries(chosen)
}

/** Where the limits of gateways differ from the defaults. */
function gatewayLimits({ gateway }: Config): Partial<GatewayLimits> {
  const { connections, connectionsPerClient = 0, memory, minRate, poolIdle, poolMaxLifetime } = gateway.limits
  const said: GatewayLimits = {
    connections,
    connectionsPerClient,
    memory,
    minRate,
    poolIdleMs: poolIdle,
    poolMaxLifetimeMs: poolMaxLifetime,
  }
  return differing(said, limitDefaults)
}

function concurrencyOf({ services }: Config): Pick<RouteTable, 'concurrency'> {
  const chosen = Object.entries(services).flatMap(([key, { concurrency }]) => {
    if (concurrency === undefined) return []
    const { lowPriority, ...numbers } = concurrency
    return [[key, { ...numbers, ...(lowPriority === undefined ? {} : { lowPriority }) }] as const]
  })
  return chosen.length === 0 ? {} : { concurrency: Object.fromEntries(chosen) }
}

function tracingOf({ gateway }: Config): Pick<RouteTable, 'tracing'> {
  const { endpoint, sample, serviceName } = gateway.tracing
  return endpoint === undefined ? {} : { tracing: { endpoint, sample, serviceName } }
}

/** The numbers that are not those of `defaults`. */
function differing<Numbers extends Readonly<Record<keyof Numbers, number>>>(
  said: Numbers,
  defaults: Numbers,
): Partial<Numbers> {
  const names = Object.keys(said) as (keyof Numbers)[]
  return Object.fromEntries(
    names.filter(name => said[name] !== defaults[name]).map(name => [name, said[name]]),
  ) as Partial<Numbers>
}

/** How long requests may take, by service key. */
function chosen(config: Config, key: 'timeout' | 'poolIdle'): Readonly<Record<string, number>> {
  const said = Object.entries(config.services).flatMap(([name, { [key]: ms }]) =>
    ms === undefined ? [] : [[name, ms]],
  )
  return Object.fromEntries(said)
}

/** Every service that the file names, whether anybody is registered in it or not. */
export function namedServices(config: Config): readonly ServiceName[] {
  return Object.keys(config.services).map(parseServiceKey)
}

export function staticMembers(config: Config): readonly StaticMember[] {
  return Object.entries(config.services).flatMap(([key, { instances }]) =>
    instances.map((address, index) => ({
      ...parseServiceKey(key),
      id: memberId(address),
      address,
      path: ['services', key, 'instances', index],
    })),
  )
}

/** The address in the letters that ids may have. */
export function memberId(address: HostPort): string {
  return formatHostPort(address.host, address.port)
    .replace(/^\[(.*)\]/, '$1')
    .replace(/:(\d+)$/, '-$1')
    .replaceAll(/[^A-Za-z0-9.-]/g, '_')
}

export function workloads({ config, folder }: LoadedConfig): readonly RunDefinition[] {
  return Object.entries(config.services).flatMap(([key, { run }]) => {
    if (run === undefined) return []
    const service = parseServiceKey(key)
    const { command, replicas, port, env, console } = run
    const cwd = resolve(folder, run.cwd ?? '.')
    const definition = {
      name: service.service,
      service,
      command,
      replicas,
      env,
      cwd,
      console,
      drainGraceMs: run.drainGrace,
      stopGraceMs: run.stopGrace,
    }
    return [port === undefined ? definition : { ...definition, port }]
  })
}

/** A token of the file, as `openAccess` takes it. */
export interface TokenDefinition {
  readonly name: string
  readonly sha256: string
  readonly expires?: string
  /** Where it stands: `portolan.yaml:7`. */
  readonly at?: string
  /** `*` = every one. */
  readonly grants: readonly {
    readonly verbs: readonly ('read' | 'register' | 'admin')[]
    readonly namespace: string
    readonly service: string
    readonly instance: string
  }[]
}

/** The file's tokens, each with one grant for every pair of its namespaces and services. */
export function tokens({ config, position }: LoadedConfig): readonly TokenDefinition[] {
  return config.auth.tokens.map((token, index) => {
    const { name, sha256, verbs, namespaces = ['*'], services = ['*'], expires } = token
    const place = position(['auth', 'tokens', index])
    return {
      name,
      sha256,
      ...(expires === undefined ? {} : { expires }),
      ...(place === undefined ? {} : { at: formatLine(place) }),
      grants: namespaces.flatMap(namespace =>
        services.map(service => ({ verbs, namespace, service, instance: '*' })),
      ),
    }
  })
}

/** What callers without a token may do: everything on a loopback-only server, nothing beyond, unless said. */
export function anonymousRights(config: Config, apiListens: readonly HostPort[]): 'admin' | 'read' | 'none' {
  const local = apiListens.every(isLocal)
  return config.auth.anonymous ?? (local ? 'admin' : 'none')
}

/**
 * By service: the checks that the file gives to all its instances, `[]` = none; undefined = it says nothing of them.
 * What `Health.configure` takes.
 */
export function checksOf({
  config,
  folder,
}: LoadedConfig): (service: ServiceName) => readonly Check[] | undefined {
  const byService = new Map<string, readonly Check[]>()
  for (const [key, { healthChecks }] of Object.entries(config.services)) {
    if (healthChecks !== undefined) byService.set(key, coreChecks(healthChecks, folder))
  }
  return service => byService.get(serviceKey(service))
}

/** What the checks of all services together may cost, and how they judge. */
export interface HealthLimits {
  /** Of the business requests: greater than 0, at most 1. */
  readonly budget: number
  /** So many checks a second need no business to pay for them. */
  readonly freePerSecond: number
  readonly maxPerSecond: number
  readonly concurrency: number
  readonly rules: HealthRules
}

export function healthLimits({ health }: Config): HealthLimits {
  const { budget, freePerSecond, maxPerSecond, concurrency, rules } = health
  return {
    budget,
    freePerSecond,
    maxPerSecond,
    concurrency,
    rules: {
      suspectAfterMs: rules.suspectAfter,
      rechecks: rules.rechecks,
      recheckEveryMs: rules.recheckEvery,
      recheckTimeoutMs: rules.recheckTimeout,
    },
  }
}
