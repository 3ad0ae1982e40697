import { authorize } from '../../registry/access/access.ts'
import { every } from '../../registry/access/grants.ts'
import type { ApiContext } from '../context.ts'
import { type Endpoint, endpoint } from './endpoint.ts'
import { routeTable } from './shapes.ts'

/** What gateways need of the configuration. Reading it takes `read` over every service: routes name them all. */
export const readRoutes = { verb: 'read', namespace: every, service: every, instance: every } as const

export function configEndpoints({ routes }: ApiContext): readonly Endpoint[] {
  return [
    endpoint({
      method: 'GET',
      path: '/config/routes',
      summary: 'The gateway’s routes',
      answers: [{ status: 200, description: 'The routes, first match first', schema: routeTable }],
      handle({ identity }) {
        authorize(identity, readRoutes)
        return routes.table
      },
    }),
  ]
}
