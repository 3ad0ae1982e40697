import type { ServerMessage } from '@portolan/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Grant, grant } from '../../registry/access/grants.ts'
import { openTested, registered, someone, type Tested } from '../testing/open-tested.ts'
import { openSession, type SessionClient } from '../testing/session-client.ts'

let tested: Tested
beforeEach(async () => {
  tested = await openTested()
})
afterEach(() => tested.close())

type ServicesMessage = Extract<ServerMessage, { readonly type: 'services' }>

async function openAs(grants: readonly Grant[]): Promise<SessionClient> {
  const { secret } = await tested.access.mint({ name: 'dns', grants })
  return openSession(tested.url, { kind: 'proxy', headers: { authorization: `Bearer ${secret}` } })
}

const keys = (list: readonly { readonly namespace?: string; readonly service: string }[]) =>
  list.map(({ namespace, service }) => `${namespace}/${service}`)
const whole = (message: ServicesMessage) => ('services' in message ? keys(message.services) : undefined)
const change = (message: ServicesMessage) =>
  'put' in message ? { put: keys(message.put), gone: keys(message.gone) } : undefined

const declare = (...names: readonly string[]) =>
  tested.registry.declareServices(
    names.map(name => {
      const [namespace = '', service = ''] = name.split('/')
      return { namespace, service }
    }),
  )

describe('which services there are, over a session', () => {
  it('is told before the done, and at each change what changed', async () => {
    for (const service of ['a', 'b', 'c']) await registered(tested, service, 'i1')
    const client = await openSession(tested.url, { kind: 'proxy' })
    await client.ask({ type: 'watch-services', seq: 1 })
    expect(client.received.map(({ type }) => type)).toEqual(['services'])
    expect(whole(await client.next('services'))).toEqual(['default/a', 'default/b', 'default/c'])
    await registered(tested, 'd', 'i1')
    expect(change(await client.next('services'))).toEqual({ put: ['default/d'], gone: [] })
    await client.close()
  })

  it('is told whole where that is shorter', async () => {
    declare('default/a')
    const client = await openSession(tested.url)
    await client.ask({ type: 'watch-services', seq: 1 })
    expect(whole(await client.next('services'))).toEqual(['default/a'])
    declare('default/b')
    expect(whole(await client.next('services'))).toEqual(['default/b'])
    await client.close()
  })

  it('a second question takes the place of the first', async () => {
    declare('default/a', 'default/b')
    const client = await openSession(tested.url)
    await client.ask({ type: 'watch-services', seq: 1 })
    await client.ask({ type: 'watch-services', seq: 2 })
    declare('default/a', 'default/b', 'default/c')
    await client.next('services', message => change(message)?.put.length === 1)
    await client.ask({ type: 'unwatch', seq: 3, service: 'x' })
    expect(client.received.map(message => message.type === 'services' && whole(message))).toEqual([
      ['default/a', 'default/b'],
      ['default/a', 'default/b'],
    ])
    await client.close()
  })

  it('names to each reader what its token may read, and nothing else, ever', async () => {
    declare('default/a', 'default/b', 'staging/a')
    const staging = await openAs([grant(['read'], 'staging')])
    const one = await openAs([grant(['read', 'register'], 'default', 'b'), grant(['register'], 'staging')])
    const all = await openAs([grant(['admin'], '*')])
    for (const client of [staging, one, all]) await client.ask({ type: 'watch-services', seq: 1 })
    declare('default/b', 'default/z', 'staging/a', 'staging/b', 'staging/c')
    expect(change(await all.next('services', message => 'put' in message))).toEqual({
      put: ['default/z', 'staging/b', 'staging/c'],
      gone: ['default/a'],
    })
    expect(whole(await staging.next('services'))).toEqual(['staging/a'])
    expect(change(await staging.next('services'))).toEqual({ put: ['staging/b', 'staging/c'], gone: [] })
    expect(whole(await one.next('services'))).toEqual(['default/b'])
    await one.ask({ type: 'unwatch', seq: 2, service: 'x' })
    expect(one.received).toEqual([])
    for (const client of [staging, one, all]) await client.close()
  })

  it('is refused to a token that may read nothing', async () => {
    const client = await openAs([grant(['register'], 'default')])
    expect(await client.ask({ type: 'watch-services', seq: 1 })).toMatchObject({ code: 'forbidden', seq: 1 })
    await client.close()
  })

  it('follows the rights that a token has at each step', async () => {
    const { secret, token } = await tested.access.mint({ name: 'dns', grants: [grant(['read'], '*')] })
    await tested.access.revoke(token.id)
    const configure = (namespace: string) =>
      tested.access.configure([{ name: 'dns', sha256: token.sha256, grants: [grant(['read'], namespace)] }])
    configure('*')
    declare('default/a', 'default/b', 'staging/a')
    const client = await openSession(tested.url, { headers: { authorization: `Bearer ${secret}` } })
    await client.ask({ type: 'watch-services', seq: 1 })
    expect(whole(await client.next('services'))).toHaveLength(3)
    configure('staging')
    declare('default/a', 'default/b', 'default/c', 'staging/a')
    expect(whole(await client.next('services'))).toEqual(['staging/a'])
    tested.access.configure([])
    declare('staging/a', 'staging/b')
    await client.ask({ type: 'unwatch', seq: 2, service: 'x' })
    expect(client.received).toEqual([])
    client.websocket.terminate()
  })

  it('is told anew when the configuration gives a token other rights, though no service comes or goes', async () => {
    const { secret, token } = await tested.access.mint({ name: 'dns', grants: [grant(['read'], '*')] })
    await tested.access.revoke(token.id)
    const configure = (...namespaces: readonly string[]) => {
      const grants = namespaces.map(namespace => grant(['read'], namespace))
      tested.access.configure(grants.length === 0 ? [] : [{ name: 'dns', sha256: token.sha256, grants }])
    }
    configure('staging')
    declare('default/a', 'staging/a')
    const client = await openSession(tested.url, { headers: { authorization: `Bearer ${secret}` } })
    await client.ask({ type: 'watch-services', seq: 1 })
    expect(whole(await client.next('services'))).toEqual(['staging/a'])
    configure('default', 'staging')
    expect(whole(await client.next('services'))).toEqual(['default/a', 'staging/a'])
    configure('default')
    expect(whole(await client.next('services'))).toEqual(['default/a'])
    // The same rights are no news, but for what was missed in a time without any.
    configure('default')
    await client.ask({ type: 'unwatch', seq: 2, service: 'x' })
    expect(client.received).toEqual([])
    const admin = await openSession(tested.url)
    await admin.ask({ type: 'watch-services', seq: 1 })
    configure()
    declare('default/b', 'staging/a')
    await admin.next('services', message => whole(message)?.includes('default/b') === true)
    configure('default')
    expect(whole(await client.next('services'))).toEqual(['default/b'])
    await admin.close()
    await client.close()
  })

  it('one that reads too slowly gets the whole list later, and the others do not wait', async () => {
    const many = Array.from({ length: 4000 }, (_, index) => `default/${'x'.repeat(100)}-${index}`)
    const [slow, quick] = [await openSession(tested.url), await openSession(tested.url)]
    for (const client of [slow, quick]) await client.ask({ type: 'watch-services', seq: 1 })
    slow.websocket.pause()
    // Whole lists until the kernel's buffers are full; each is about half a megabyte.
    for (let round = 0; round < 40; round++) {
      declare(...(round % 2 === 0 ? many : ['default/only']))
      await quick.next('services', message => whole(message)?.length === (round % 2 === 0 ? 4000 : 1))
    }
    declare(...many, 'default/last')
    await quick.next('services', message => whole(message)?.includes('default/last') === true)
    slow.websocket.resume()
    await slow.next('services', message => whole(message)?.includes('default/last') === true)
    expect(slow.received.filter(({ type }) => type === 'services').length).toBeLessThan(41)
    declare(...many)
    expect(change(await slow.next('services', message => 'put' in message))).toEqual({
      put: [],
      gone: ['default/last'],
    })
    for (const client of [slow, quick]) await client.close()
  })

  it('outlives nobody', async () => {
    const client = await openSession(tested.url)
    await client.ask({ type: 'watch-services', seq: 1 })
    await client.close()
    await tested.registry.deregister({ namespace: 'default', service: 'x', id: 'y' }, someone).catch(() => {})
    declare('default/a')
    expect(client.received.filter(({ type }) => type === 'services')).toHaveLength(1)
  })

  it('a proxy may watch more services than others: DNS watches all', async () => {
    await tested.close()
    const limits = { subscriptions: 1, proxySubscriptions: 2 }
    tested = await openTested({ settings: { listen: [{ host: '127.0.0.1', port: 0 }], limits } })
    const proxy = await openSession(tested.url, { kind: 'proxy' })
    const sdk = await openSession(tested.url)
    let seq = 0
    const ask = async (client: SessionClient, service: string) =>
      (await client.ask({ type: 'watch', seq: ++seq, service })).type
    expect([await ask(proxy, 'a'), await ask(proxy, 'b'), await ask(proxy, 'c')]).toEqual([
      'done',
      'done',
      'failed',
    ])
    expect([await ask(sdk, 'a'), await ask(sdk, 'b')]).toEqual(['done', 'failed'])
    await Promise.all([proxy.close(), sdk.close()])
  })
})
