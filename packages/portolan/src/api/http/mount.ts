import type { IncomingMessage } from 'node:http'
import { Fault } from '@portolan/core'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Identity } from '../../registry/access/access.ts'
import { check } from '../body/check.ts'
import type { ApiContext } from '../context.ts'
import { secretOf } from '../guard/credentials.ts'
import type { Endpoint, Method } from './endpoint.ts'

export const apiPrefix = '/api/v1'

/** The whole path of an endpoint. */
export function urlOf({ at, path }: Pick<Endpoint, 'at' | 'path'>): string {
  return at === 'root' ? path : apiPrefix + path
}

/** Registers the endpoints, and on each path an answer to the methods that it lacks. */
export function mount(app: FastifyInstance, endpoints: readonly Endpoint[], context: ApiContext): void {
  const methods = new Map<string, Method[]>()
  for (const endpoint of endpoints) {
    const url = urlOf(endpoint)
    methods.set(url, [...(methods.get(url) ?? []), endpoint.method])
    route(app, url, endpoint, context)
  }
  for (const [url, has] of methods) refuseOtherMethods(app, url, has)
}

const noFields = z.strictObject({})

/** What may stand in it, for those who misspelt it. */
function queryHint(query: z.ZodType): string | undefined {
  const fields = query instanceof z.ZodObject ? Object.keys(query.shape) : []
  return fields.length === 0 ? undefined : `the query takes ${fields.join(', ')}`
}

function route(app: FastifyInstance, url: string, endpoint: Endpoint, { access }: ApiContext): void {
  const { params = z.unknown(), query = noFields } = endpoint
  const callers = new WeakMap<IncomingMessage, Identity>()
  app.route({
    method: endpoint.method,
    url,
    // Before the body is read: strangers do not make us parse.
    onRequest: async request => {
      callers.set(request.raw, access.authenticate(secretOf(request.headers.authorization)))
    },
    handler: async (request, reply) => {
      const identity = callers.get(request.raw)
      if (identity === undefined)
        throw new Fault('internal', 'a request without a caller', { source: 'internal' })
      return await endpoint.handle({
        identity,
        params: check(params, request.params, 'the path'),
        query: check(query, request.query, 'the query', queryHint(query)),
        body: bodyOf(endpoint, request),
        request,
        reply,
      })
    },
  })
}

function bodyOf(endpoint: Endpoint, { body }: FastifyRequest): unknown {
  if (endpoint.body === undefined) {
    if (body === undefined || body === null) return undefined
    throw new Fault('invalid_request', 'a body is not expected here', { source: 'caller' })
  }
  // The registry's own parser reads registrations, defaults and shorthands included.
  return endpoint.rawBody === true ? (body ?? undefined) : check(endpoint.body, body ?? undefined, 'the body')
}

const allMethods = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'] as const

/** 405 with Allow, instead of a 404 that hides that the path is right. */
export function refuseOtherMethods(app: FastifyInstance, url: string, has: readonly Method[]): void {
  const allowed = [...has, ...(has.includes('GET') ? (['HEAD'] as const) : [])]
  app.route({
    method: allMethods.filter(method => !(allowed as readonly string[]).includes(method)),
    url,
    onRequest: async (request, reply) => {
      reply.header('Allow', allowed.join(', '))
      throw new Fault('method_not_allowed', `${request.method} is not allowed here`, {
        source: 'caller',
        hint: `this path has ${allowed.join(', ')}`,
      })
    },
    handler: () => undefined,
  })
}
