import { hostname } from 'node:os'
import {
  defaultNamespace,
  Fault,
  type InstanceSet,
  type Milliseconds,
  parseServiceKey,
  type ServiceName,
} from '@portolan/core'
import { checkServiceOptions } from './balanced/options.ts'
import { type OpenService, openService, type Service, type ServiceOptions } from './balanced/service.ts'
import { type Environment, registryUrls } from './environment.ts'
import type { Lease } from './lease/held-lease.ts'
import { openLeases } from './lease/leases.ts'
import { claimOf, type RegisterOptions } from './lease/registration.ts'
import { sessionResolver } from './resolver.ts'
import type { Runtime } from './runtime.ts'
import { openSession, sessionClosed } from './session/session.ts'
import type { TlsOptions } from './session/wire.ts'
import { watchSets } from './watch.ts'

export interface ConnectOptions {
  /** Default `PORTOLAN_TOKEN`. */
  readonly token?: string
  /** How long the first registry may take. Default 5000. */
  readonly timeoutMs?: Milliseconds
  /** Resolve at once, registry or not. */
  readonly lazy?: boolean
  /** Who this is, for people who look at the registry. Default host name and process id. */
  readonly name?: string
  /** `agent`: it speaks for programs that it supervises, and knows by itself when they end. Default `sdk`. */
  readonly kind?: 'sdk' | 'agent'
  /** For registries on https. */
  readonly tls?: TlsOptions
  /** Told of every connection that ended and every refusal that is waited out. Default: nobody. */
  readonly onFault?: (fault: Fault) => void
  /** Told of every connection that came about. Default: nobody. */
  readonly onConnect?: () => void
}

/** A connection to the registries, and everything that an application does with it. */
export interface Portolan {
  /**
   * Tells the registry of this process, and goes on telling it after every outage. Resolves when a registry has
   * acknowledged it: while none answers it waits, for as long as it takes unless `timeoutMs` says otherwise.
   * @throws Fault `invalid_request`, `instance_owned_by_other`, `unauthorized`, `registry_unreachable`, …
   */
  register(options?: RegisterOptions): Promise<Lease>
  /**
   * The service `order`, or `staging/order`. The same name and options give the same object.
   * @throws Fault `config_invalid` that names the option that is wrong; `invalid_request` where `name` is no name
   */
  service(name: string, options?: ServiceOptions): Service
  /** The service's sets, the first at once when it is known; ends with the loop or with {@link close}. */
  watch(name: string, options?: { readonly namespace?: string }): AsyncIterable<InstanceSet>
  /** Whether a registry answers at this moment. */
  readonly connected: boolean
  /**
   * Drains and deregisters what this client registered (`graceMs` at most, default 10,000), lets calls under way
   * end, closes every connection. Resolves when nothing is left that keeps the process alive.
   */
  close(options?: { readonly graceMs?: Milliseconds }): Promise<void>
}

const defaultTimeoutMs = 5000
/** How long one registry may take, so that several can be tried within the whole. */
const attemptMs = 2000
const requestMs = 5000
/** What calls under way get when the client closes. */
const farewellMs = 2000

/** {@link Portolan} in a given world. @throws Fault `registry_unreachable`, `unauthorized`, `config_invalid`, … */
export async function openPortolan(
  url: string | readonly string[] | undefined,
  options: ConnectOptions,
  runtime: Runtime,
  environment: Environment,
): Promise<Portolan> {
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs
  const onFault = options.onFault ?? (() => {})
  const session = openSession(
    {
      urls: registryUrls(url, environment),
      kind: options.kind ?? 'sdk',
      name: options.name ?? `${hostname()}-${process.pid}`,
      token: options.token ?? environment.PORTOLAN_TOKEN,
      tls: options.tls,
      attemptMs: Math.min(attemptMs, timeoutMs),
      requestMs,
      onFault,
    },
    runtime,
  )
  const { onConnect } = options
  if (onConnect !== undefined) session.attach({ up: () => onConnect(), receive() {}, down() {} })
  if (options.lazy !== true) {
    try {
      await session.whenUp(timeoutMs)
    } catch (thrown) {
      await session.close()
      throw thrown
    }
  }

  const resolver = sessionResolver(session, onFault, runtime)
  const leases = openLeases(session, onFault, runtime)
  const services = new Map<string, OpenService>()
  const ending = new AbortController()
  let closing: Promise<void> | undefined

  const close = async (graceMs: Milliseconds | undefined) => {
    await leases.close(graceMs)
    ending.abort()
    await Promise.all([...services.values()].map(service => service.close(farewellMs)))
    resolver.close()
    await session.close()
  }

  return {
    register(registration = {}) {
      try {
        return leases.register(
          claimOf(registration, {
            environment,
            hostname: hostname(),
            pid: process.pid,
            random: runtime.random,
          }),
        )
      } catch (thrown) {
        return Promise.reject(thrown)
      }
    },
    service(name, serviceOptions = {}) {
      if (ending.signal.aborted) throw sessionClosed()
      checkServiceOptions(serviceOptions, String(name).slice(0, 80))
      const target = serviceName(name, serviceOptions.namespace)
      const key = JSON.stringify([target, serviceOptions])
      const known = services.get(key)
      if (known !== undefined) return known
      const service = openService(resolver, target, serviceOptions, runtime)
      services.set(key, service)
      return service
    },
    watch: (name, { namespace } = {}) => watchSets(resolver, serviceName(name, namespace), ending.signal),
    get connected() {
      return session.link !== undefined
    },
    close({ graceMs } = {}) {
      closing ??= close(graceMs)
      return closing
    },
  }
}

/** @throws Fault `invalid_request` */
function serviceName(name: string, namespace: string | undefined): ServiceName {
  const parsed = parseServiceKey(typeof name === 'string' ? name : '')
  const target = { namespace: namespace ?? parsed.namespace, service: parsed.service }
  if (target.service !== '' && (namespace ?? defaultNamespace) !== '') return target
  throw new Fault('invalid_request', `"${String(name)}" names no service`, {
    source: 'caller',
    hint: "write it like service('order') or service('staging/order')",
  })
}
