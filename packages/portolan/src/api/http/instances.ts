import { Fault, formatCursor, type InstanceName, isHealthy } from '@portolan/core'
import { z } from 'zod'
import { toBeTested } from '../../health/to-be-tested.ts'
import { authorize } from '../../registry/access/access.ts'
import { onInstance, onService } from '../../registry/access/grants.ts'
import { parseChecks } from '../../registry/registered-checks.ts'
import { parseRegistration } from '../../registry/registration.ts'
import { peerAddress } from '../body/peer.ts'
import type { ApiContext } from '../context.ts'
import { checkRemovable, checkUndeclared } from '../guard/read-only.ts'
import type { EventStreams } from '../sse/streams.ts'
import { heartbeatReport, readHeartbeat, takeStatus } from '../status.ts'
import { type Call, type Endpoint, endpoint } from './endpoint.ts'
import { filterOf } from './filter.ts'
import {
  inNamespace,
  instance,
  instanceList,
  instanceParams,
  instanceQuery,
  registered,
  registration,
  serviceParams,
  why,
} from './shapes.ts'

export interface InstanceParts {
  readonly streams: EventStreams
}

/** Reading a service's instances, registering one, and taking it back. */
export function instanceEndpoints(context: ApiContext, { streams }: InstanceParts): readonly Endpoint[] {
  const { registry, health, times, declaredAt, guardTargets } = context

  return [
    endpoint({
      method: 'GET',
      path: '/services/:service/instances',
      summary: 'The instances of a service; with Accept: text/event-stream a watch of them',
      params: serviceParams,
      query: instanceQuery,
      answers: [
        { status: 200, description: 'The instances, ordered by id', schema: instanceList },
        { status: 304, description: 'Unchanged since the revision in If-None-Match' },
      ],
      handle({ params, query, identity, request, reply }) {
        const service = { namespace: query.namespace, service: params.service }
        authorize(identity, onService('read', service))
        const filter = filterOf(query)
        if (request.method === 'GET' && wantsEvents(request.headers.accept)) {
          return streams.open({ request, reply, service, filter })
        }
        const set = registry.view(service)
        const cursor = formatCursor(set.cursor)
        reply.header('Portolan-Revision', cursor).header('ETag', `"${cursor}"`).header('Vary', 'Accept')
        if (isUnchanged(request.headers['if-none-match'], cursor)) return reply.code(304).send()
        const instances = filter === undefined ? set.instances : set.instances.filter(filter)
        return { ...service, cursor, instances }
      },
    }),

    endpoint({
      method: 'GET',
      path: '/services/:service/instances/:id',
      summary: 'One instance',
      params: instanceParams,
      query: inNamespace,
      answers: [{ status: 200, description: 'The instance', schema: instance }],
      handle({ params, query, identity }) {
        const name = { ...params, ...query }
        authorize(identity, onInstance('read', name))
        return known(name)
      },
    }),

    endpoint({
      method: 'PUT',
      path: '/services/:service/instances/:id',
      summary: 'Register an instance (idempotent upsert); it lives for one lease unless heartbeats follow',
      params: instanceParams,
      query: inNamespace,
      body: registration,
      rawBody: true,
      answers: [
        { status: 200, description: 'Registered again', schema: registered },
        { status: 201, description: 'Registered', schema: registered },
      ],
      handle: register,
    }),

    endpoint({
      method: 'POST',
      path: '/services/:service/instances/:id/heartbeat',
      summary:
        'Renew the lease; an unknown id with a registration is registered, and a report says how it is',
      params: instanceParams,
      query: inNamespace,
      body: z.union([registration, heartbeatReport]).optional(),
      rawBody: true,
      answers: [
        { status: 200, description: 'Renewed', schema: registered },
        { status: 201, description: 'Registered', schema: registered },
      ],
      handle(call) {
        const name = { ...call.params, ...call.query }
        const principal = authorize(call.identity, onInstance('register', name))
        const report = readHeartbeat(call.body)
        const isRegistration = report === undefined && call.body !== undefined
        if (isRegistration && registry.find(name) === undefined) return register(call)
        registry.renew(name, principal)
        if (report === undefined) health?.beat(name)
        else takeStatus(context, name, undefined, report)
        const { incarnation } = known(name)
        return { incarnation, cursor: formatCursor(registry.cursor), leaseMs: times.lease }
      },
    }),

    endpoint({
      method: 'DELETE',
      path: '/services/:service/instances/:id',
      summary: 'Deregister an instance: a goodbye, after which it gets no traffic',
      params: instanceParams,
      query: inNamespace,
      answers: [{ status: 204, description: 'Gone' }],
      async handle({ params, query, identity, reply }) {
        const name = { ...params, ...query }
        const principal = authorize(identity, onInstance('register', name))
        checkRemovable(declaredAt, name, registry.find(name))
        await registry.deregister(name, principal)
        return reply.code(204).send()
      },
    }),

    endpoint({
      method: 'GET',
      path: '/services/:service/instances/:id/why',
      summary:
        'Why an instance is picked or not: its causes, its checks as they stand, and what happened to it',
      params: instanceParams,
      query: inNamespace,
      answers: [{ status: 200, description: 'Without a cause it is healthy', schema: why }],
      handle({ params, query, identity }) {
        const name = { ...params, ...query }
        authorize(identity, onInstance('read', name))
        const found = known(name)
        const { causes, degraded = [] } = found
        const { checks, history } = context.health?.why(name) ?? { checks: [], history: [] }
        return { healthy: isHealthy(found), causes, degraded, checks, history, instance: found }
      },
    }),
  ]

  function known(name: InstanceName) {
    const found = registry.find(name)
    if (found !== undefined) return found
    throw new Fault('instance_not_found', `${name.service} has no instance ${name.id}`, {
      source: 'caller',
      hint: `GET /api/v1/services/${name.service}/instances lists those that are known`,
    })
  }

  async function register(call: Call<{ service: string; id: string }, { namespace: string }, unknown>) {
    const { params, query, identity, request, reply } = call
    const name = { ...params, ...query }
    const principal = authorize(identity, onInstance('register', name))
    checkUndeclared(declaredAt, name)
    const address = peerAddress(request.socket)
    const asked = parseRegistration(call.body, { ...name, ...(address === undefined ? {} : { address }) })
    const checks = parseChecks(call.body, asked)
    guardTargets(asked, checks)
    const isNew = registry.find(name) === undefined
    const wanted = {
      registration: asked,
      principal,
      source: 'http',
      tether: 'lease',
      ...(checks === undefined ? {} : { checks }),
    } as const
    const { incarnation, cursor } = await registry.register(toBeTested(health, wanted))
    const revision = formatCursor(cursor)
    reply.code(isNew ? 201 : 200).header('Portolan-Revision', revision)
    return { incarnation, cursor: revision, leaseMs: times.lease }
  }
}

function wantsEvents(accept: string | undefined): boolean {
  return accept?.includes('text/event-stream') === true
}

function isUnchanged(ifNoneMatch: string | undefined, cursor: string): boolean {
  if (ifNoneMatch === undefined) return false
  return ifNoneMatch.split(',').some(tag => tag.trim().replace(/^W\//, '') === `"${cursor}"`)
}
