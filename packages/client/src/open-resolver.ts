import { hostname } from 'node:os'
import type { Fault, Milliseconds } from '@portolan/core'
import { type Environment, registryUrls } from './environment.ts'
import { type SessionResolver, sessionResolver } from './resolver.ts'
import type { Runtime } from './runtime.ts'
import { openSession, type SessionKind } from './session/session.ts'
import type { TlsOptions } from './session/wire.ts'

export interface ResolverOptions {
  /** http or https addresses of registries that know the same; default as for `connect`. */
  readonly urls: string | readonly string[] | undefined
  /** Default `proxy`. */
  readonly kind?: SessionKind
  readonly token?: string
  readonly name?: string
  readonly tls?: TlsOptions
  readonly onFault?: (fault: Fault) => void
}

/** A resolver with a session of its own: what a gateway joins its registry with. */
export interface OpenResolver extends Omit<SessionResolver, 'close'> {
  readonly connected: boolean
  /** Resolves when a registry answers. @throws Fault `registry_unreachable` naming each address and why */
  whenConnected(timeoutMs: Milliseconds): Promise<void>
  close(): Promise<void>
}

/** {@link OpenResolver} in a given world. @throws Fault `config_invalid` for addresses that are none */
export function resolverOver(
  options: ResolverOptions,
  runtime: Runtime,
  environment: Environment,
): OpenResolver {
  const onFault = options.onFault ?? (() => {})
  const session = openSession(
    {
      urls: registryUrls(options.urls, environment),
      kind: options.kind ?? 'proxy',
      name: options.name ?? `${hostname()}-${process.pid}`,
      token: options.token ?? environment.PORTOLAN_TOKEN,
      tls: options.tls,
      attemptMs: 2000,
      requestMs: 5000,
      onFault,
    },
    runtime,
  )
  const resolver = sessionResolver(session, onFault, runtime)
  return {
    subscribe: resolver.subscribe,
    idle: resolver.idle,
    report: resolver.report,
    claim: resolver.claim,
    watchRoutes: resolver.watchRoutes,
    watchServices: resolver.watchServices,
    get connected() {
      return session.link !== undefined
    },
    async whenConnected(timeoutMs) {
      await session.whenUp(timeoutMs)
    },
    async close() {
      resolver.close()
      await session.close()
    },
  }
}
