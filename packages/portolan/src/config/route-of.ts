import { defaultNamespace, type Route, type WeightedService } from '@portolan/core'
import { authOf } from './auths.ts'
import { rateLimitOf } from './rate-limits.ts'
import { retryOf } from './retries.ts'
import type { Config } from './schema.ts'

type RouteConfig = Config['gateway']['routes'][number]
type WeightedConfig = NonNullable<RouteConfig['split']>[number]

/** A route as it travels to gateways: what the file leaves out stays out. */
export function routeOf({
  match,
  service,
  namespace,
  split,
  splitBy,
  rewrite,
  redirect,
  rateLimit,
  timeout,
  maxBody,
  retry,
  auth,
}: RouteConfig): Route {
  const limit = rateLimitOf(rateLimit)
  const { host, path, headers, method } = match
  return {
    match: {
      ...(host === undefined ? {} : { host: host.toLowerCase() }),
      ...(path === undefined ? {} : { path }),
      ...(headers === undefined ? {} : { headers }),
      ...(method === undefined ? {} : { method }),
    },
    ...(service === undefined ? {} : { service }),
    ...(namespace === defaultNamespace ? {} : { namespace }),
    ...(split === undefined ? {} : { split: split.map(sideOf) }),
    ...(splitBy === undefined ? {} : { splitBy }),
    ...(rewrite === undefined ? {} : { rewrite: said(rewrite) }),
    ...(redirect === undefined ? {} : { redirect: said(redirect) }),
    ...(limit === undefined ? {} : { rateLimit: limit }),
    ...(timeout === undefined ? {} : { timeoutMs: timeout }),
    ...(maxBody === undefined ? {} : { maxBody }),
    ...(retry === undefined ? {} : { retry: retryOf(retry) }),
    ...(auth === undefined ? {} : { auth: auth === 'none' ? auth : authOf(auth) }),
  }
}

function sideOf({ service, namespace, weight }: WeightedConfig): WeightedService {
  return { service, ...(namespace === defaultNamespace ? {} : { namespace }), weight }
}

/** Only what is there. */
function said<T extends object>(settings: T): { [Key in keyof T]: Exclude<T[Key], undefined> } {
  const entries = Object.entries(settings).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as { [Key in keyof T]: Exclude<T[Key], undefined> }
}
