import { Fault } from '@portolan/core'
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import { parseJson } from '../body/json.ts'
import type { ApiContext } from '../context.ts'
import { faultOf, problemOf } from '../problem/problem.ts'
import { problemHeaders } from '../problem/raw.ts'

/** The framework, told how this server reads bodies, answers errors and counts. */
export function openApp(context: ApiContext): FastifyInstance {
  const { limits } = context
  const app = fastify({
    bodyLimit: limits.body,
    // Names are at most 128 characters; longer ones shall be told so instead of being "not found".
    routerOptions: { maxParamLength: 1024, ignoreTrailingSlash: true },
    frameworkErrors: (error, request, reply) => answerFault(faultOf(error, limits.body), request.url, reply),
  })
  readJson(app)
  answerProblems(app, context)
  countRequests(app, context)
  return app
}

function readJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i,
    { parseAs: 'string' },
    async (_request: unknown, body: string) => (body.trim() === '' ? undefined : parseJson(body)),
  )
}

function answerProblems(app: FastifyInstance, context: ApiContext): void {
  app.setErrorHandler((thrown, request, reply) => {
    const fault = faultOf(thrown, context.limits.body)
    if (fault.code === 'internal')
      context.log.error({ err: thrown, url: request.url }, 'api: a request failed')
    return answerFault(fault, request.url, reply)
  })
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0]?.slice(0, 200)
    const fault = new Fault('not_found', `there is nothing at ${path}`, {
      source: 'caller',
      hint: '/openapi.json lists what there is',
    })
    return answerFault(fault, request.url, reply)
  })
}

function answerFault(fault: Fault, url: string, reply: FastifyReply): FastifyReply {
  const problem = problemOf(fault, url.split('?')[0]?.slice(0, 400))
  // Strangers' bodies are not read to the end: a connection that still carries one is of no more use.
  if (fault.code === 'unauthorized' || fault.code === 'body_too_large') reply.header('Connection', 'close')
  return reply
    .code(problem.status)
    .headers(problemHeaders(fault))
    .send(`${JSON.stringify(problem)}\n`)
}

function countRequests(app: FastifyInstance, { metrics }: ApiContext): void {
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none'
    metrics.requests.inc({ method: request.method, route, status: reply.statusCode })
    metrics.seconds.observe({ method: request.method, route }, reply.elapsedTime / 1000)
  })
  app.addHook('onSend', async (_request, reply) => {
    reply.header('X-Content-Type-Options', 'nosniff')
  })
}
