import { setImmediate } from 'node:timers/promises'
import { type InstanceName, parseDuration } from '@portolan/core'
import { z } from 'zod'
import { authorize } from '../../registry/access/access.ts'
import { onInstance } from '../../registry/access/grants.ts'
import { takesTraffic } from '../../registry/drain.ts'
import type { ApiContext } from '../context.ts'
import { type Endpoint, endpoint } from './endpoint.ts'
import { inNamespace, instance, instanceParams, namespace, override, yes } from './shapes.ts'

const defaultGraceMs = 30_000
const maxGraceMs = 3_600_000

/** Tells the session that holds an instance that nobody picks it any more. */
export type MayStop = (name: InstanceName, acknowledged: boolean) => void

/** What operators do to instances: drain one, override its weight, take it out of service. */
export function operationEndpoints(context: ApiContext, mayStop: MayStop): readonly Endpoint[] {
  const { registry, log } = context
  return [
    endpoint({
      method: 'POST',
      path: '/services/:service/instances/:id/drain',
      summary: 'Take an instance out of the traffic, and wait until every subscriber has acknowledged it',
      params: instanceParams,
      query: z.strictObject({
        namespace,
        grace: z.string().max(32).optional().describe('How long to wait at most, as in 30s. Default 30s.'),
        wait: yes.default(true).describe('`false`: answer at once, with 202.'),
      }),
      answers: [
        { status: 200, description: 'Drained', schema: z.object({ acknowledged: z.boolean() }) },
        { status: 202, description: 'Draining' },
      ],
      async handle({ params, query, identity, reply }) {
        const name = { ...params, namespace: query.namespace }
        const principal = authorize(identity, onInstance('register', name))
        const grace = query.grace === undefined ? defaultGraceMs : parseDuration(query.grace)
        const drained = registry.drain(name, principal, Math.min(grace, maxGraceMs)).then(acknowledged => {
          if (!takesTraffic(registry.find(name))) mayStop(name, acknowledged)
          return acknowledged
        })
        if (query.wait) return { acknowledged: await drained }
        // What is wrong with the request itself shows before the first wait inside `drain`.
        await Promise.race([drained, setImmediate()])
        drained.catch(thrown => log.warn({ err: thrown, instance: name }, 'api: a drain failed'))
        return reply.code(202).send()
      },
    }),

    endpoint({
      method: 'DELETE',
      path: '/services/:service/instances/:id/drain',
      summary: 'Take a drain back: the instance gets traffic again, unless it has another cause',
      params: instanceParams,
      query: inNamespace,
      answers: [{ status: 200, description: 'The instance as it is now', schema: instance }],
      handle({ params, query, identity }) {
        const name = { ...params, ...query }
        return registry.undrain(name, authorize(identity, onInstance('register', name)))
      },
    }),

    endpoint({
      method: 'PUT',
      path: '/services/:service/instances/:id/override',
      summary: 'Set the weight, or take out of service; survives restarts. {} takes all overrides back',
      params: instanceParams,
      query: inNamespace,
      body: override,
      answers: [{ status: 200, description: 'The instance as it is now', schema: instance }],
      handle({ params, query, body, identity }) {
        const name = { ...params, ...query }
        return registry.override(name, authorize(identity, onInstance('register', name)), {
          ...(body.weight === undefined ? {} : { weight: body.weight }),
          ...(body.outOfService === undefined ? {} : { outOfService: body.outOfService }),
          ...(body.reason === undefined ? {} : { reason: body.reason }),
        })
      },
    }),
  ]
}
