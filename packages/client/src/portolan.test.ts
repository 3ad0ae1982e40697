import { afterEach, expect, test } from 'vitest'
import { connect, type Portolan } from './index.ts'
import { eventually } from './testing/eventually.ts'
import { type Origin, startOrigin } from './testing/origin.ts'
import { instanceOf, ScriptedRegistry } from './testing/scripted-registry.ts'

const ends: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function startRegistry(): Promise<ScriptedRegistry> {
  const registry = await new ScriptedRegistry().start()
  ends.push(() => registry.stop())
  return registry
}

async function startClient(url: string | string[]): Promise<Portolan> {
  const portolan = await connect(url)
  ends.push(() => portolan.close({ graceMs: 100 }))
  return portolan
}

async function startInstance(): Promise<Origin> {
  const origin = await startOrigin()
  ends.push(() => origin.kill())
  return origin
}

test('registers, discovers, fetches, watches and drains', async () => {
  const registry = await startRegistry()
  const origin = await startInstance()
  registry.set('order', [instanceOf('order', 'order-1', origin.port)])
  const portolan = await startClient(registry.url)

  const lease = await portolan.register({ service: 'shop', port: 8080, id: 'shop-1' })
  expect(lease).toMatchObject({ namespace: 'default', service: 'shop', id: 'shop-1', incarnation: 1 })

  const order = portolan.service('order')
  const response = await order.fetch('/orders/1', { method: 'POST', body: 'hello' })
  expect(response).toBeInstanceOf(Response)
  expect(await response.json()).toMatchObject({ method: 'POST', url: '/orders/1', body: 'hello' })
  const { instance, done } = order.pick()
  expect(instance.id).toBe('order-1')
  done()
  done('failure')

  const sizes: number[] = []
  const reading = (async () => {
    for await (const set of portolan.watch('order')) sizes.push(set.instances.length)
  })()
  await eventually('the first set', () => sizes.length === 1)
  registry.set('order', [])
  await eventually('the second set', () => sizes.length === 2)
  await eventually('the acknowledgement', () => registry.of('ack').at(-1)?.cursor === registry.cursor)
  expect(() => order.pick()).toThrow('order has no instance')

  await portolan.close()
  await reading
  expect(sizes).toEqual([1, 0])
  const ending = registry.received.filter(({ type }) => type === 'drain' || type === 'deregister')
  expect(ending.map(({ type }) => type)).toEqual(['drain', 'deregister'])
})

test('one service, one object', async () => {
  const registry = await startRegistry()
  const portolan = await startClient(registry.url)
  expect(portolan.service('order')).toBe(portolan.service('order'))
  expect(portolan.service('order')).not.toBe(portolan.service('order', { policy: 'random' }))
  expect(portolan.service('staging/order')).toMatchObject({ namespace: 'staging', service: 'order' })
})

test('a service’s options are looked at, and its name', async () => {
  const registry = await startRegistry()
  const portolan = await startClient(registry.url)
  const refused = (code: string, message: string) => expect.objectContaining({ code, message })
  expect(() => portolan.service('m1', { policy: 5 } as never)).toThrow(
    refused('config_invalid', 'service m1: policy is 5'),
  )
  expect(() => portolan.service('m1', { slowStart: '30s' } as never)).toThrow(
    refused('config_invalid', 'service m1: slowStart is no option'),
  )
  expect(() => portolan.service(5 as never)).toThrow(refused('invalid_request', '"5" names no service'))
})
