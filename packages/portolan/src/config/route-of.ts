import { defaultNamespace, type Route } from '@portolan/core'
import type { Config } from './schema.ts'

type RouteConfig = Config['gateway']['routes'][number]

/** A route as it travels to gateways: what the file leaves out stays out. */
export function routeOf({ match, service, namespace }: RouteConfig): Route {
  const { host, path, headers, method } = match
  return {
    match: {
      ...(host === undefined ? {} : { host: host.toLowerCase() }),
      ...(path === undefined ? {} : { path }),
      ...(headers === undefined ? {} : { headers }),
      ...(method === undefined ? {} : { method }),
    },
    service,
    ...(namespace === defaultNamespace ? {} : { namespace }),
  }
}
