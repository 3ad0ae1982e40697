import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Problem } from '../problem/problem.ts'
import { openTested, type Tested } from '../testing/open-tested.ts'

let tested: Tested
beforeAll(async () => {
  tested = await openTested()
})
afterAll(() => tested.close())

const json = { 'content-type': 'application/json' }
const order = '/api/v1/services/order/instances/order-1'

async function ask(path: string, init: RequestInit = {}): Promise<Problem & { headers: Headers }> {
  const answer = await fetch(tested.url + path, init)
  expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
  const problem = (await answer.json()) as Problem
  expect(problem.status).toBe(answer.status)
  return { ...problem, headers: answer.headers }
}

const put = (body: string, headers: Record<string, string> = json) =>
  ask(order, { method: 'PUT', body, headers })

describe('bad input gets a clear error, and nothing is stored', () => {
  it.each([
    ['{"port": 80', 'line 1, column 12'],
    ['{"port": 08}', 'line 1, column 10'],
    ['', 'registration'],
    ['[]', 'registration'],
    ['"x"', 'registration'],
    ['{}', 'ports'],
    ['{"port": 0}', 'port'],
    ['{"port": 65536}', 'port'],
    ['{"port": 80.5}', 'port'],
    ['{"port": "80"}', 'port'],
    ['{"ports": []}', 'ports'],
    ['{"ports": [80, -1]}', 'ports[1]'],
    ['{"port": 80, "prot": 81}', 'prot'],
    ['{"port": 80, "address": "order.example"}', 'address'],
    ['{"port": 80, "weight": -1}', 'weight'],
    ['{"port": 80, "weight": {"toString": 1}}', 'weight'],
    ['{"port": 80, "service": "payment"}', 'service'],
    ['{"port": 80, "namespace": "staging"}', 'namespace'],
    ['{"port": 80, "__proto__": {"x": 1}}', '__proto__'],
    ['{"port": 80, "metadata": {"a": 1}}', 'metadata.a'],
    [`{"port": 80, "tags": [${'"x",'.repeat(99_999)}"x"]}`, 'tags'],
    [`{"port": 80, "metadata": {"a": "${'x'.repeat(5000)}"}}`, 'metadata.a'],
    [`{"port": 80, "metadata": ${'['.repeat(50_000)}${']'.repeat(50_000)}}`, 'metadata'],
    [`{"port": 80, "weight": ${'['.repeat(50_000)}${']'.repeat(50_000)}}`, 'weight'],
    [`{"port": ${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}}`, 'port'],
  ])('%.60s', async (body, named) => {
    const problem = await put(body)
    expect(problem).toMatchObject({ status: 400, code: 'invalid_request', retryable: false })
    expect(problem.detail).toContain(named)
    expect(problem.detail.length).toBeLessThan(500)
    expect(tested.registry.services()).toEqual([])
  })

  it('a body of 10 MB', async () => {
    const problem = await put(`{"port": 80, "host": "${'x'.repeat(10_000_000)}"}`).catch(() => undefined)
    // The server stops reading, so a client may see the connection end before the answer.
    if (problem !== undefined) expect(problem).toMatchObject({ status: 413, code: 'body_too_large' })
    expect(tested.registry.services()).toEqual([])
    const stream = new ReadableStream({
      pull: controller => controller.enqueue(new TextEncoder().encode(' '.repeat(65_536))),
    })
    const endless = { method: 'PUT', headers: json, body: stream, duplex: 'half' } as RequestInit
    await fetch(tested.url + order, endless).then(
      answer => expect(answer.status).toBe(413),
      () => undefined,
    )
    expect((await fetch(`${tested.url}/healthz`)).status).toBe(200)
  })

  it('a content type that is not JSON', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp']) {
      expect(await put('{"port": 80}', { 'content-type': type })).toMatchObject({
        status: 415,
        code: 'unsupported_media_type',
      })
    }
  })

  it('names that are none', async () => {
    const body = '{"port": 80}'
    for (const path of [
      '/api/v1/services/or%20der/instances/x',
      `/api/v1/services/order/instances/${'x'.repeat(129)}`,
    ]) {
      expect(await ask(path, { method: 'PUT', body, headers: json })).toMatchObject({
        code: 'invalid_request',
      })
    }
    expect((await ask('/api/v1/services/a%2fb/instances')).code).toBe('invalid_request')
    expect((await ask('/api/v1/services/%zz/instances')).status).toBe(400)
    expect((await ask('/api/v1/services/order/instances?namespace=a%20b')).detail).toContain('namespace')
  })

  it('a query that nobody reads', async () => {
    expect((await ask('/api/v1/services/order/instances?health=true')).detail).toContain('health')
    expect((await ask('/api/v1/services/order/instances?healthy=yes')).detail).toContain('healthy')
  })

  it('paths and methods that are not there', async () => {
    expect(await ask('/api/v2/services')).toMatchObject({ status: 404, code: 'not_found' })
    const problem = await ask('/api/v1/services', { method: 'POST', body: '{}', headers: json })
    expect(problem).toMatchObject({ status: 405, code: 'method_not_allowed' })
    expect(problem.headers.get('allow')).toBe('GET, HEAD')
    expect((await ask(order, { method: 'PATCH' })).headers.get('allow')).toBe('GET, PUT, DELETE, HEAD')
  })

  it('instances that are not there', async () => {
    for (const [method, path] of [
      ['GET', order],
      ['GET', `${order}/why`],
      ['DELETE', order],
      ['POST', `${order}/heartbeat`],
      ['POST', `${order}/drain`],
      ['POST', `${order}/drain?wait=false`],
    ] as const) {
      expect(await ask(path, { method })).toMatchObject({ status: 404, code: 'instance_not_found' })
    }
    const override = await ask(`${order}/override`, { method: 'PUT', body: '{"weight":1}', headers: json })
    expect(override.status).toBe(404)
  })

  it('overrides and drains that make no sense', async () => {
    for (const body of ['{"weight":-1}', '{"weight":1e9}', '{"wieght":1}', '{"outOfService":1}', 'null']) {
      const problem = await ask(`${order}/override`, { method: 'PUT', body, headers: json })
      expect(problem).toMatchObject({ status: 400 })
    }
    expect((await ask(`${order}/drain?grace=soon`, { method: 'POST' })).status).toBe(400)
    expect((await ask(`${order}/drain`, { method: 'POST', body: '{"x":1}', headers: json })).status).toBe(400)
  })
})
