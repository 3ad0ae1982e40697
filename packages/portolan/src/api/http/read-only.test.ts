import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openTested, type Tested } from '../testing/open-tested.ts'
import { openSession } from '../testing/session-client.ts'

const legacy = { namespace: 'default', service: 'legacy', id: '127.0.0.1-19001' }
let tested: Tested
let place: string | undefined

beforeEach(async () => {
  place = 'portolan.yaml:7'
  tested = await openTested({ declaredAt: ({ id }) => (id === legacy.id ? place : undefined) })
})
afterEach(() => tested.close())

/** As the configuration's own reader registers its members. */
const applyFile = () =>
  tested.registry.register({
    registration: {
      ...legacy,
      addresses: ['127.0.0.1'],
      ports: [{ name: 'http', number: 19001, protocol: 'http', tls: false }],
      weight: 1,
      tags: [],
      metadata: {},
    },
    principal: { name: 'config', admin: false },
    source: 'config',
    tether: 'static',
  })

async function ask(method: string, path: string, body?: unknown) {
  const answer = await fetch(`${tested.url}/api/v1/services/legacy/instances/${legacy.id}${path}`, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  })
  const text = await answer.text()
  return {
    status: answer.status,
    type: answer.headers.get('content-type'),
    body: text === '' ? {} : JSON.parse(text),
  }
}

const refused = {
  status: 409,
  type: expect.stringContaining('application/problem+json'),
  body: { code: 'read_only', detail: expect.stringContaining('portolan.yaml:7') },
}

describe('an instance that the configuration file names', () => {
  it('is not registered, removed or brought to life over HTTP, and the answer names the line', async () => {
    expect(await ask('PUT', '', { port: 1 })).toMatchObject(refused)
    expect(await ask('POST', '/heartbeat', { port: 1 })).toMatchObject(refused)
    expect(tested.registry.find(legacy)).toBeUndefined()
    await applyFile()
    const before = tested.registry.find(legacy)
    expect(await ask('PUT', '', { port: 1 })).toMatchObject(refused)
    expect(await ask('DELETE', '')).toMatchObject(refused)
    expect(tested.registry.find(legacy)).toBe(before)
  })

  it('is not registered or removed over a session either', async () => {
    await applyFile()
    const before = tested.registry.find(legacy)
    const session = await openSession(tested.url)
    const failed = { type: 'failed', code: 'read_only', message: expect.stringContaining('portolan.yaml:7') }
    expect(
      await session.ask({ type: 'register', seq: 1, instance: { ...legacy, ports: [1] } }),
    ).toMatchObject(failed)
    expect(await session.ask({ type: 'deregister', seq: 2, ...legacy, incarnation: 1e9 })).toMatchObject(
      failed,
    )
    expect(tested.registry.find(legacy)).toBe(before)
    await session.close()
  })

  it('can be overridden and drained: both are kept in the store, not in the file', async () => {
    await applyFile()
    expect((await ask('PUT', '/override', { weight: 5 })).status).toBe(200)
    expect((await ask('POST', '/drain?grace=10ms')).status).toBe(200)
    expect(tested.registry.find(legacy)).toMatchObject({ weight: 5, causes: [{ kind: 'draining' }] })
  })

  it('is anybody’s again when the file names it no more', async () => {
    place = undefined
    expect((await ask('PUT', '', { port: 1 })).status).toBe(201)
    // Who holds the id when the file comes to name it can still leave.
    place = 'portolan.yaml:7'
    expect(await ask('PUT', '', { port: 1 })).toMatchObject(refused)
    expect((await ask('DELETE', '')).status).toBe(204)
  })
})
