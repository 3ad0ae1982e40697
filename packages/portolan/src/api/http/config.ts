import {
  defaultPolicy,
  type RouteTable,
  type ServiceName,
  serviceKey,
  slowStartDefaultMs,
} from '@portolan/core'
import { authorize } from '../../registry/access/access.ts'
import { every, onService } from '../../registry/access/grants.ts'
import type { ApiContext } from '../context.ts'
import { type Endpoint, endpoint } from './endpoint.ts'
import { fileState, inNamespace, routeTable, serviceParams, serviceSettings } from './shapes.ts'

/** What gateways need of the configuration. Reading it takes `read` over every service: routes name them all. */
export const readRoutes = { verb: 'read', namespace: every, service: every, instance: every } as const

export function configEndpoints({ routes, atNextStart }: ApiContext): readonly Endpoint[] {
  return [
    endpoint({
      method: 'GET',
      path: '/config',
      summary: 'How the file stands to what holds: the keys that were changed and wait for the next start',
      answers: [{ status: 200, description: 'The keys, none most of the time', schema: fileState }],
      handle({ identity }) {
        authorize(identity, readRoutes)
        return { atNextStart: atNextStart() }
      },
    }),

    endpoint({
      method: 'GET',
      path: '/config/routes',
      summary: 'The gateway’s routes',
      answers: [{ status: 200, description: 'The routes, first match first', schema: routeTable }],
      handle({ identity }) {
        authorize(identity, readRoutes)
        return withoutKeys(routes.table)
      },
    }),

    endpoint({
      method: 'GET',
      path: '/config/services/:service',
      summary: 'How gateways balance a service: the configuration, and the defaults where it says nothing',
      params: serviceParams,
      query: inNamespace,
      answers: [{ status: 200, description: 'The settings', schema: serviceSettings }],
      handle({ params, query, identity }) {
        const service = { ...query, ...params }
        authorize(identity, onService('read', service))
        return { ...service, balancer: balancerOf(routes.table, service) }
      },
    }),
  ]
}

/** With what cookies are signed is for gateways alone. */
function withoutKeys({ affinity, ...table }: RouteTable): RouteTable {
  if (affinity === undefined) return table
  const shown = Object.entries(affinity).map(([key, { keys: _, ...settings }]) => [key, settings])
  return { ...table, affinity: Object.fromEntries(shown) }
}

function balancerOf(table: RouteTable, service: ServiceName) {
  const { policies = {}, balance = {}, affinity = {} } = withoutKeys(table)
  const key = serviceKey(service)
  return {
    policy: (Object.hasOwn(policies, key) ? policies[key] : undefined) ?? defaultPolicy,
    slowStartMs: slowStartDefaultMs,
    subset: 0,
    ...(Object.hasOwn(balance, key) ? balance[key] : undefined),
    ...(Object.hasOwn(affinity, key) ? { affinity: affinity[key] } : {}),
  }
}
