import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTested, type Tested } from './testing/open-tested.ts'
import { openSession } from './testing/session-client.ts'

let tested: Tested
beforeAll(async () => {
  tested = await openTested()
})
afterAll(() => tested.close())

const api = (path: string, init?: RequestInit) => fetch(`${tested.url}/api/v1${path}`, init)
const put = (path: string, body: unknown) =>
  api(path, { method: 'PUT', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })

describe('the API as a whole', () => {
  it('registers, lists, explains and deregisters an instance', async () => {
    const made = await put('/services/order/instances/order-1', { port: 8080, zone: 'a', tags: ['canary'] })
    expect(made.status).toBe(201)
    expect(await made.json()).toMatchObject({ incarnation: expect.any(Number), leaseMs: 15_000 })
    expect(
      (await put('/services/order/instances/order-1', { port: 8080, zone: 'a', tags: ['canary'] })).status,
    ).toBe(200)

    const list = await api('/services/order/instances')
    expect(list.status).toBe(200)
    const body = (await list.json()) as { cursor: string; instances: object[] }
    expect(list.headers.get('portolan-revision')).toBe(body.cursor)
    expect(body.instances).toMatchObject([{ id: 'order-1', addresses: ['127.0.0.1'], owner: 'anonymous' }])
    expect(await (await api('/services')).json()).toMatchObject({
      services: [{ namespace: 'default', service: 'order', instances: 1, healthy: 1 }],
    })
    expect(await (await api('/services/order/instances/order-1/why')).json()).toMatchObject({ healthy: true })

    expect((await api('/services/order/instances/order-1', { method: 'DELETE' })).status).toBe(204)
    expect((await api('/services/order/instances/order-1')).status).toBe(404)
  })

  it('carries a session that registers and one that watches', async () => {
    const watcher = await openSession(tested.url)
    const owner = await openSession(tested.url)
    await watcher.ask({ type: 'watch', seq: 1, service: 'payment' })
    expect((await watcher.next('snapshot')).instances).toEqual([])
    const done = await owner.ask({
      type: 'register',
      seq: 1,
      instance: { service: 'payment', id: 'p-1', ports: [9000] },
    })
    const { incarnation = 0 } = done as { incarnation?: number }
    expect(incarnation).toBeGreaterThan(0)
    const delta = await watcher.next('delta')
    expect(delta.put).toMatchObject([{ id: 'p-1', addresses: ['127.0.0.1'], source: 'session' }])
    await owner.ask({ type: 'deregister', seq: 2, service: 'payment', id: 'p-1', incarnation })
    expect((await watcher.next('delta')).gone).toEqual([{ id: 'p-1', reason: 'goodbye' }])
    await Promise.all([watcher.close(), owner.close()])
  })
})
