import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { allGrants, every, grant } from '../../registry/access/grants.ts'
import type { Problem } from '../problem/problem.ts'
import { openTested, type Tested } from '../testing/open-tested.ts'
import { openSession, openSocket } from '../testing/session-client.ts'

let tested: Tested
const secrets = { root: '', order: '', one: '', reader: '', staging: '' }

beforeAll(async () => {
  tested = await openTested({ anonymous: 'none' })
  const mint = async (name: string, grants: readonly ReturnType<typeof grant>[]) =>
    (await tested.access.mint({ name, grants })).secret
  secrets.root = await mint('root', allGrants)
  secrets.order = await mint('order-team', [grant(['register', 'read'], 'default', 'order')])
  secrets.one = await mint('instance:order/order-1', [grant(['register'], 'default', 'order', 'order-1')])
  secrets.reader = await mint('reader', [grant(['read'], every)])
  secrets.staging = await mint('staging', [grant(['admin'], 'staging')])
})
afterAll(() => tested.close())

type Who = keyof typeof secrets

async function ask(who: Who | undefined, method: string, path: string, body?: unknown) {
  const answer = await fetch(`${tested.url}/api/v1${path}`, {
    method,
    headers: {
      ...(who === undefined ? {} : { authorization: `Bearer ${secrets[who]}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  return {
    status: answer.status,
    headers: answer.headers,
    body: (text === '' ? {} : JSON.parse(text)) as Problem,
  }
}

const order1 = '/services/order/instances/order-1'
const registration = { port: 8080 }

describe('tokens, from the attacker’s side', () => {
  it('nobody gets in without one, and is told how', async () => {
    for (const [method, path] of [
      ['GET', '/services'],
      ['GET', '/services/order/instances'],
      ['PUT', order1],
      ['DELETE', order1],
      ['GET', '/tokens'],
      ['GET', '/config/routes'],
      ['GET', '/config/services/order'],
    ] as const) {
      const answer = await ask(undefined, method, path, method === 'PUT' ? registration : undefined)
      expect(answer).toMatchObject({ status: 401, body: { code: 'unauthorized' } })
      expect(answer.headers.get('www-authenticate')).toContain('Bearer')
    }
    for (const path of ['/', '/metrics']) expect((await fetch(tested.url + path)).status).toBe(401)
    for (const path of ['/healthz', '/readyz', '/openapi.json']) {
      expect((await fetch(tested.url + path)).status).toBe(200)
    }
  })

  it.each(['Bearer ptl_wrong', 'Bearer', 'Basic cm9vdDpyb290', `Bearer ${'x'.repeat(1000)}`])(
    'is not anonymous with "%.30s"',
    async authorization => {
      const answer = await fetch(`${tested.url}/api/v1/services`, { headers: { authorization } })
      expect(answer.status).toBe(401)
    },
  )

  it('holds each to its service, instance, namespace and verb', async () => {
    const tries: readonly [Who, string, string, unknown, number][] = [
      ['one', 'PUT', order1, registration, 201],
      ['one', 'PUT', '/services/order/instances/order-2', registration, 403],
      ['one', 'PUT', '/services/payment/instances/order-1', registration, 403],
      ['one', 'PUT', `${order1}?namespace=staging`, registration, 403],
      ['one', 'PUT', order1, { ...registration, namespace: 'staging' }, 400],
      [
        'order',
        'POST',
        '/services/order/instances/x/heartbeat',
        { ...registration, namespace: 'staging' },
        400,
      ],
      ['one', 'GET', '/services/order/instances', undefined, 403],
      ['order', 'GET', '/services/order/instances', undefined, 200],
      ['order', 'GET', '/services/payment/instances', undefined, 403],
      ['order', 'PUT', order1, registration, 409],
      ['order', 'DELETE', order1, undefined, 403],
      ['order', 'POST', `${order1}/drain?grace=1ms`, undefined, 403],
      ['order', 'PUT', `${order1}/override`, { weight: 0 }, 403],
      ['reader', 'GET', '/services/order/instances', undefined, 200],
      ['reader', 'PUT', '/services/order/instances/x', registration, 403],
      ['reader', 'POST', `${order1}/heartbeat`, undefined, 403],
      ['reader', 'PUT', `${order1}/override`, { weight: 0 }, 403],
      ['staging', 'PUT', order1, registration, 403],
      ['staging', 'PUT', `${order1}?namespace=staging`, registration, 201],
      ['staging', 'GET', '/config/routes', undefined, 403],
      ['order', 'GET', '/config/routes', undefined, 403],
      ['order', 'GET', '/config/services/order', undefined, 200],
      ['order', 'GET', '/config/services/payment', undefined, 403],
      ['order', 'GET', '/config/services/order?namespace=staging', undefined, 403],
      ['one', 'GET', '/config/services/order', undefined, 403],
      ['root', 'PUT', order1, registration, 409],
      ['root', 'PUT', `${order1}/override`, { weight: 5 }, 200],
      ['one', 'POST', `${order1}/heartbeat`, undefined, 200],
      ['root', 'DELETE', order1, undefined, 204],
    ]
    for (const [who, method, path, body, status] of tries) {
      expect([who, method, path, (await ask(who, method, path, body)).status]).toEqual([
        who,
        method,
        path,
        status,
      ])
    }
  })

  it('shows each only the services that it may read', async () => {
    await ask('root', 'PUT', '/services/payment/instances/p-1', registration)
    await ask('order', 'PUT', '/services/order/instances/o-1', registration)
    const services = async (who: Who) => {
      const { body } = await ask(who, 'GET', '/services')
      return (body as unknown as { services: { service: string }[] }).services
        .map(({ service }) => service)
        .sort()
    }
    expect(await services('order')).toEqual(['order'])
    expect(await services('one')).toEqual([])
    expect(await services('reader')).toEqual(['order', 'order', 'payment'])
  })

  it('lets unlimited administrators alone mint, list and revoke', async () => {
    const wanted = { name: 'mallory', grants: [{ verbs: ['admin'], namespace: '*' }] }
    for (const who of ['order', 'one', 'reader', 'staging'] as const) {
      expect((await ask(who, 'POST', '/tokens', wanted)).status).toBe(403)
      expect((await ask(who, 'GET', '/tokens')).status).toBe(403)
      expect((await ask(who, 'DELETE', '/tokens/0000000000000000')).status).toBe(403)
    }
    const made = await ask('root', 'POST', '/tokens', { name: 'ci', grants: [{ verbs: ['read'] }] })
    expect(made.status).toBe(201)
    const { id, secret } = made.body as unknown as { id: string; secret: string }
    expect(tested.access.authenticate(secret).grants).toEqual([grant(['read'], 'default')])
    const list = JSON.stringify((await ask('root', 'GET', '/tokens')).body)
    expect(list).toContain(id)
    for (const hidden of [secret, 'sha256']) expect(list).not.toContain(hidden)
    expect((await ask('root', 'DELETE', `/tokens/${id}`)).status).toBe(204)
    expect(() => tested.access.authenticate(secret)).toThrow()
    for (const bad of [
      {},
      { name: 'x', grants: [] },
      { name: 'x', grants: [{ verbs: ['write'] }] },
      { name: 'anonymous', grants: [{ verbs: ['read'] }] },
    ]) {
      expect((await ask('root', 'POST', '/tokens', bad)).status).toBe(400)
    }
  })
})

describe('sessions, from the attacker’s side', () => {
  const bearer = (who: Who) => ({ headers: { authorization: `Bearer ${secrets[who]}` } })

  it('need a token before the first frame', async () => {
    await expect(openSocket(tested.url)).rejects.toThrow(/401/)
    await expect(openSocket(tested.url, { headers: { authorization: 'Bearer ptl_x' } })).rejects.toThrow(
      /401/,
    )
  })

  it('are held to what their token allows', async () => {
    const session = await openSession(tested.url, bearer('one'))
    const register = (seq: number, service: string, id: string) =>
      session.ask({ type: 'register', seq, instance: { service, id, ports: [80] } })
    expect(await register(1, 'order', 'order-1')).toMatchObject({ type: 'done' })
    expect(await register(2, 'order', 'order-9')).toMatchObject({ type: 'failed', code: 'forbidden' })
    expect(await session.ask({ type: 'watch', seq: 3, service: 'order' })).toMatchObject({
      code: 'forbidden',
    })
    expect(await session.ask({ type: 'watch-routes', seq: 4 })).toMatchObject({ code: 'forbidden' })
    const foreign = { service: 'payment', id: 'p-1' }
    expect(await session.ask({ type: 'drain', seq: 5, ...foreign })).toMatchObject({ code: 'forbidden' })
    await session.close()
  })

  it('cannot be resumed by another principal', async () => {
    const mine = await openSession(tested.url, bearer('reader'))
    const id = mine.welcome.session
    const thief = await openSession(tested.url, { ...bearer('order'), resume: id })
    expect(thief.welcome.session).not.toBe(id)
    const again = await openSession(tested.url, { ...bearer('reader'), resume: id })
    expect(again.welcome.session).toBe(id)
    expect(await mine.closed).toBe(4409)
    await Promise.all([thief.close(), again.close()])
  })

  it('end when their token is revoked', async () => {
    const { secret, token } = await tested.access.mint({ name: 'guest', grants: [grant(['read'], every)] })
    const session = await openSession(tested.url, { headers: { authorization: `Bearer ${secret}` } })
    await tested.access.revoke(token.id)
    expect(await session.ask({ type: 'watch', seq: 1, service: 'order' })).toMatchObject({
      code: 'unauthorized',
    })
    expect(await session.closed).toBe(4401)
  })
})
