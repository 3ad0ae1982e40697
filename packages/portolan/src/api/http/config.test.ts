import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTested, type Tested } from '../testing/open-tested.ts'
import { openSession } from '../testing/session-client.ts'

let tested: Tested
beforeAll(async () => {
  tested = await openTested()
})
afterAll(() => tested.close())

async function settingsOf(path: string): Promise<unknown> {
  const answer = await fetch(`${tested.url}/api/v1/config/services/${path}`)
  expect(answer.status).toBe(200)
  return answer.json()
}

describe('GET config', () => {
  it('names the keys that wait for the next start', async () => {
    const answer = await fetch(`${tested.url}/api/v1/config`)
    expect(await answer.json()).toEqual({ atNextStart: [] })
  })
})

describe('GET config/services/:service', () => {
  it('says how gateways balance it, the defaults included', async () => {
    tested.setRoutes({
      routes: [],
      exposed: 'all',
      policies: { order: 'ring-hash', 'staging/order': 'adaptive' },
      balance: {
        order: { hashBy: 'address', hashBalanceFactor: 1.5 },
        'staging/order': { slowStartMs: 0, subset: 20 },
      },
    })
    const defaults = { policy: 'least-request', slowStartMs: 30_000, subset: 0 }
    expect(await settingsOf('order')).toEqual({
      namespace: 'default',
      service: 'order',
      balancer: { ...defaults, policy: 'ring-hash', hashBy: 'address', hashBalanceFactor: 1.5 },
    })
    expect(await settingsOf('order?namespace=staging')).toEqual({
      namespace: 'staging',
      service: 'order',
      balancer: { policy: 'adaptive', slowStartMs: 0, subset: 20 },
    })
    for (const service of ['payment', 'constructor']) {
      expect(await settingsOf(service)).toEqual({ namespace: 'default', service, balancer: defaults })
    }
  })
})

describe('what cookies are signed with', () => {
  it('goes to gateways, and is shown to nobody over HTTP', async () => {
    const settings = { cookie: 'at', path: '/', sameSite: 'lax', secure: false } as const
    const table = {
      routes: [],
      exposed: 'all',
      affinity: { order: { ...settings, keys: ['very-secret-very-secret'] } },
    } as const
    tested.setRoutes(table)
    const answer = await fetch(`${tested.url}/api/v1/config/routes`)
    expect(await answer.json()).toEqual({ ...table, affinity: { order: settings } })
    expect(await settingsOf('order')).toMatchObject({ balancer: { affinity: settings } })
    expect(JSON.stringify(await settingsOf('order'))).not.toContain('very-secret')
    const session = await openSession(tested.url, { kind: 'proxy' })
    session.send({ type: 'watch-routes', seq: 1 })
    expect(await session.next('routes')).toEqual({ type: 'routes', table })
    await session.close()
  })
})
