import { Fault } from '@portolan/core'
import { afterEach, describe, expect, it } from 'vitest'
import type { Health } from '../health/health.ts'
import { scriptedHealth } from '../health/testing/scripted-health.ts'
import { openTested, type Tested } from './testing/open-tested.ts'
import { openSession } from './testing/session-client.ts'

const opened: Tested[] = []

afterEach(async () => {
  await Promise.all(opened.splice(0).map(server => server.close()))
})

/** A server whose health writes down what instances say of themselves, and knows one check, `jobs`. */
async function openServer(options: Parameters<typeof openTested>[0] = {}) {
  const said: unknown[] = []
  const health: Health = {
    ...scriptedHealth(),
    status: (name, incarnation, report) => {
      if (report.check !== undefined && report.check !== 'jobs') {
        throw new Fault('invalid_request', `no check ${report.check}`, { source: 'caller' })
      }
      said.push([name.id, incarnation, report])
    },
    beat: ({ id }) => void said.push([id, 'beat']),
  }
  const server = await openTested({ health, ...options })
  opened.push(server)
  const ask = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${server.url}/api/v1/services/order/instances/${path}`, {
      method,
      ...(body !== undefined && {
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      }),
    })
    return { status: response.status, ...((await response.json()) as { code?: string; detail?: string }) }
  }
  return { ...server, said, ask }
}

describe('a heartbeat', () => {
  it('may say how the instance is', async () => {
    const { ask, said } = await openServer()
    await ask('PUT', 'a', { port: 1 })
    const report = { status: 'warning', check: 'jobs', output: 'late', metrics: { queue: 7 } }
    expect(await ask('POST', 'a/heartbeat', report)).toMatchObject({ status: 200, leaseMs: 15_000 })
    expect(await ask('POST', 'a/heartbeat', { metrics: { queue: 8 } })).toMatchObject({ status: 200 })
    expect(said).toEqual([
      ['a', undefined, report],
      ['a', undefined, { status: 'passing', metrics: { queue: 8 } }],
    ])
  })

  it('of an unknown instance registers it by a registration, and not by a report', async () => {
    const { ask, said } = await openServer()
    expect(await ask('POST', 'a/heartbeat', { status: 'passing' })).toMatchObject({
      status: 404,
      code: 'instance_not_found',
    })
    expect(await ask('POST', 'a/heartbeat', { port: 1 })).toMatchObject({ status: 201 })
    expect(await ask('POST', 'a/heartbeat', { port: 1 })).toMatchObject({ status: 200 })
    expect(await ask('POST', 'a/heartbeat')).toMatchObject({ status: 200 })
    expect(said).toEqual([
      ['a', 'beat'],
      ['a', 'beat'],
    ])
  })

  it('that is neither is refused, and says what is wrong', async () => {
    const { ask, said } = await openServer()
    await ask('PUT', 'a', { port: 1 })
    const many = Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`m${index}`, index]))
    const bodies: [unknown, RegExp][] = [
      [[], /must be an object/],
      ['critical', /must be an object/],
      [{ Status: 'critical' }, /Status is a field of no report/],
      [{ state: 'critical' }, /state is a field of no report/],
      [{ status: 'critical', msg: 'x' }, /msg is a field of no report/],
      [{ status: 'fine' }, /status: one of passing, warning and critical/],
      [{ metrics: { 'the queue': 1 } }, /the name of a metric is/],
      [{ status: 'passing', port: 1 }, /port/],
      [{ status: 'passing', output: 'x'.repeat(4097) }, /output: at most 4096 characters/],
      [{ status: 'passing', metrics: { queue: 'long' } }, /metrics\.queue: not a number/],
      [{ status: 'passing', metrics: many }, /at most 64 metrics/],
      [{ status: 'passing', check: 'other' }, /no check other/],
    ]
    for (const [body, message] of bodies) {
      const answer = await ask('POST', 'a/heartbeat', body)
      expect(answer).toMatchObject({ status: 400, code: 'invalid_request' })
      expect(answer.detail).toMatch(message)
    }
    expect(said).toEqual([])
  })

  it('has no ttl check to speak for where nobody tests instances', async () => {
    const server = await openTested()
    opened.push(server)
    const heartbeat = `${server.url}/api/v1/services/order/instances/a`
    const headers = { 'content-type': 'application/json' }
    await fetch(heartbeat, { method: 'PUT', headers, body: '{"port":1}' })
    const answer = await fetch(`${heartbeat}/heartbeat`, {
      method: 'POST',
      headers,
      body: '{"status":"passing"}',
    })
    expect(answer.status).toBe(400)
  })
})

describe('a status over a session', () => {
  it('is that of the run that it names', async () => {
    const { url, said } = await openServer()
    const client = await openSession(url)
    const instance = { service: 'order', id: 'a', ports: [1] }
    const registered = await client.ask({ type: 'register', seq: 1, instance })
    const incarnation = registered.type === 'done' ? (registered.incarnation ?? 0) : 0
    const status = { type: 'status', service: 'order', id: 'a', status: 'critical' } as const
    expect(await client.ask({ ...status, seq: 2, incarnation, output: 'disk full' })).toEqual({
      type: 'done',
      seq: 2,
    })
    expect(said).toEqual([['a', incarnation, { status: 'critical', output: 'disk full' }]])
    expect(await client.ask({ ...status, seq: 3, incarnation: incarnation - 1 })).toMatchObject({
      type: 'failed',
      code: 'stale_incarnation',
    })
    expect(await client.ask({ ...status, seq: 4, incarnation, id: 'b' })).toMatchObject({
      code: 'instance_not_found',
    })
    expect(await client.ask({ ...status, seq: 5, incarnation, check: 'other' })).toMatchObject({
      code: 'invalid_request',
    })
    expect(said).toHaveLength(1)
    await client.close()
  })

  it('is refused for an instance of somebody else', async () => {
    const { url, access, said } = await openServer({ anonymous: 'none' })
    const grants = [{ verbs: ['register'], namespace: 'default', service: 'order', instance: '*' }] as const
    const secrets = [
      (await access.mint({ name: 'mine', grants })).secret,
      (await access.mint({ name: 'theirs', grants })).secret,
    ]
    const [mine, theirs] = await Promise.all(
      secrets.map(secret => openSession(url, { headers: { authorization: `Bearer ${secret}` } })),
    )
    const registered = await mine?.ask({
      type: 'register',
      seq: 1,
      instance: { service: 'order', id: 'a', ports: [1] },
    })
    expect(registered).toMatchObject({ type: 'done' })
    const incarnation = registered?.type === 'done' ? (registered.incarnation ?? 0) : 0
    const status = { type: 'status', service: 'order', id: 'a', incarnation, status: 'critical' } as const
    expect(await theirs?.ask({ ...status, seq: 1 })).toMatchObject({ type: 'failed', code: 'forbidden' })
    expect(said).toEqual([])
    await Promise.all([mine?.close(), theirs?.close()])
  })
})
