import { type AuthSettings, type RouteTable, serviceKey } from '@portolan/core'
import type { Config } from './schema.ts'

type AuthConfig = NonNullable<Config['services'][string]['auth']>

export function authOf({
  url,
  service,
  namespace,
  path,
  timeout,
  cacheFor,
  ...rest
}: AuthConfig): AuthSettings {
  return {
    ...(url === undefined ? {} : { url }),
    ...(service === undefined ? {} : { service: serviceKey({ namespace, service }), path }),
    timeoutMs: timeout,
    cacheForMs: cacheFor,
    ...rest,
  }
}

/** Those of services that ask anybody, by service key. */
export function serviceAuths(config: Config): Pick<RouteTable, 'auths'> {
  const chosen = Object.entries(config.services).flatMap(([key, { auth }]) =>
    auth === undefined ? [] : [[key, authOf(auth)] as const],
  )
  return chosen.length === 0 ? {} : { auths: Object.fromEntries(chosen) }
}
