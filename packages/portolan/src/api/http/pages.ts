import type { FastifyInstance } from 'fastify'
import type { Registry as MetricsRegistry } from 'prom-client'
import { authorize } from '../../registry/access/access.ts'
import type { ApiContext } from '../context.ts'
import { secretOf } from '../guard/credentials.ts'
import { readRoutes } from './config.ts'
import type { Endpoint } from './endpoint.ts'
import { refuseOtherMethods } from './mount.ts'
import { openApiDocument } from './openapi.ts'
import { frontPage, pageHeaders } from './page.ts'

export interface PageOptions {
  readonly endpoints: readonly Endpoint[]
  readonly metrics: MetricsRegistry
  readonly version: string
  readonly gateway: string | undefined
  /** False while the server goes down: load balancers then look elsewhere. */
  readonly ready: () => boolean
}

/** What stands beside the API: the front page, health, metrics and the OpenAPI document. */
export function mountPages(
  app: FastifyInstance,
  { access, registry }: ApiContext,
  options: PageOptions,
): void {
  const document = JSON.stringify(openApiDocument(options.endpoints, options.version))
  const mayRead = (authorization: string | undefined): void => {
    authorize(access.authenticate(secretOf(authorization)), readRoutes)
  }

  app.get('/', async (request, reply) => {
    mayRead(request.headers.authorization)
    return reply.headers(pageHeaders).send(frontPage(registry, options.version, options.gateway))
  })
  // Open to all, since whoever asks knows no more by the answer than by the connection.
  app.get('/healthz', async (_request, reply) => reply.type('text/plain').send('ok\n'))
  app.get('/readyz', async (_request, reply) => {
    const ready = options.ready()
    return reply
      .code(ready ? 200 : 503)
      .type('text/plain')
      .send(ready ? 'ready\n' : 'closing\n')
  })
  app.get('/metrics', async (request, reply) => {
    mayRead(request.headers.authorization)
    return reply.type(options.metrics.contentType).send(await options.metrics.metrics())
  })
  app.get('/openapi.json', async (_request, reply) => reply.type('application/json').send(document))
  for (const url of ['/', '/healthz', '/readyz', '/metrics', '/openapi.json'])
    refuseOtherMethods(app, url, ['GET'])
}
