import { Readable } from 'node:stream'
import { compareServices, Fault, type Instance, type ServiceName } from '@portolan/core'
import { z } from 'zod'
import { targetGroups } from '../../compat/prometheus/target-groups.ts'
import { targetList } from '../../compat/prometheus/target-list.ts'
import type { Identity } from '../../registry/access/access.ts'
import { allows, allowsSome, onService } from '../../registry/access/grants.ts'
import type { Registry } from '../../registry/registry.ts'
import type { ApiContext } from '../context.ts'
import { type Endpoint, endpoint } from './endpoint.ts'
import { filterOf } from './filter.ts'
import { targetGroup, targetQuery } from './shapes.ts'

/** `GET /sd/prometheus`: the targets of Prometheus' `http_sd`. */
export function prometheusEndpoints({ registry }: ApiContext): readonly Endpoint[] {
  return [
    endpoint({
      method: 'GET',
      at: 'root',
      path: '/sd/prometheus',
      summary:
        'Every instance that the caller may read, healthy or not, as Prometheus finds its targets (http_sd)',
      query: targetQuery,
      answers: [
        {
          status: 200,
          description: 'Ordered by namespace, service, id and port',
          schema: z.array(targetGroup),
        },
      ],
      handle({ query, identity, reply }) {
        checkReader(identity)
        const filter = filterOf(query) ?? (() => true)
        const services = readable(registry, identity, query)
        const list = targetList(instancesOf(registry, services), instance =>
          filter(instance) ? targetGroups(instance, query.port) : [],
        )
        // No ETag: Prometheus takes a 200 and nothing else.
        return reply
          .type('application/json; charset=utf-8')
          .header('Cache-Control', 'no-store')
          .send(Readable.from(list))
      },
    }),
  ]
}

/** An empty list would look like an empty registry, and Prometheus would drop what it has. */
function checkReader({ name, grants }: Identity): void {
  if (allowsSome(grants, 'read')) return
  throw new Fault('forbidden', `${name} may read no service`, {
    source: 'caller',
    hint: 'its token needs the verb read over the services that are to be monitored',
  })
}

function readable(
  registry: Registry,
  { grants }: Identity,
  { namespace, service }: z.output<typeof targetQuery>,
): readonly ServiceName[] {
  return registry
    .services()
    .map(({ name }) => name)
    .filter(name => namespace === undefined || name.namespace === namespace)
    .filter(name => service === undefined || service.includes(name.service))
    .filter(name => allows(grants, onService('read', name)))
    .sort(compareServices)
}

/** Each service as it is when its turn comes. */
function* instancesOf(registry: Registry, services: readonly ServiceName[]): Generator<Instance> {
  for (const service of services) yield* registry.view(service).instances
}
