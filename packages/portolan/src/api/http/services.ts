import { formatCursor } from '@portolan/core'
import { z } from 'zod'
import { allows, onService } from '../../registry/access/grants.ts'
import type { ApiContext } from '../context.ts'
import { type Endpoint, endpoint } from './endpoint.ts'
import { namespace, serviceList } from './shapes.ts'

/** `GET services`: those that the caller may read. */
export function serviceEndpoints({ registry }: ApiContext): readonly Endpoint[] {
  return [
    endpoint({
      method: 'GET',
      path: '/services',
      summary: 'All services that the caller may read, of every namespace unless one is asked for',
      query: z.strictObject({ namespace: namespace.unwrap().optional() }),
      answers: [{ status: 200, description: 'The services', schema: serviceList }],
      handle({ query, identity }) {
        const services = registry
          .services()
          .filter(({ name }) => query.namespace === undefined || name.namespace === query.namespace)
          .filter(({ name }) => allows(identity.grants, onService('read', name)))
          .map(({ name, instances, healthy }) => ({ ...name, instances, healthy }))
        return { cursor: formatCursor(registry.cursor), services }
      },
    }),
  ]
}
