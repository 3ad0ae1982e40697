import type { Fault } from '@portolan/core'
import { afterEach, describe, expect, test } from 'vitest'
import { type ConnectOptions, openPortolan, type Portolan } from '../portolan.ts'
import { dialWebSocket } from '../session/websocket.ts'
import { eventually } from '../testing/eventually.ts'
import { localRuntime } from '../testing/local-runtime.ts'
import { ScriptedRegistry } from '../testing/scripted-registry.ts'

const ends: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function startRegistry(): Promise<ScriptedRegistry> {
  const registry = await new ScriptedRegistry({ pingMs: 50 }).start()
  ends.push(() => registry.stop())
  return registry
}

async function open(registry: ScriptedRegistry, options: ConnectOptions = {}): Promise<Portolan> {
  const portolan = await openPortolan(registry.url, options, { ...localRuntime(), dial: dialWebSocket }, {})
  ends.push(() => portolan.close({ graceMs: 50 }))
  return portolan
}

const order1 = { service: 'order', id: 'order-1', port: 8080 }

describe('a lease', () => {
  test('is made again after an outage with another epoch, under the same id', async () => {
    const registry = await startRegistry()
    const portolan = await open(registry)
    const lease = await portolan.register({ service: 'order', port: 8080, tags: ['a'] })
    expect(lease.incarnation).toBe(1)
    await registry.stop()
    registry.epoch = 'e2'
    await registry.start()
    await eventually('the second registration', () => lease.incarnation === 2)
    const [first, second] = registry.of('register')
    expect(second?.instance).toEqual(first?.instance)
    expect(lease.id).toMatch(/^[A-Za-z0-9._-]+-\d+-[0-9a-z]{6}$/)
  })

  test('is refused for good at first, and patiently once it stood', async () => {
    const registry = await startRegistry()
    let refusing = true
    registry.script((request, peer) => {
      if (request.type !== 'register' || !refusing) return false
      const { seq } = request
      peer.send({ type: 'failed', seq, code: 'instance_owned_by_other', message: 'no', retryable: false })
      return true
    })
    const faults: Fault[] = []
    const portolan = await open(registry, { onFault: fault => faults.push(fault) })
    await expect(portolan.register(order1)).rejects.toMatchObject({ code: 'instance_owned_by_other' })
    refusing = false
    const lease = await portolan.register(order1)
    refusing = true
    registry.peers[0]?.drop()
    await eventually('the refusal', () => lease.fault?.code === 'instance_owned_by_other')
    expect(faults.some(({ code }) => code === 'instance_owned_by_other')).toBe(true)
    refusing = false
    await eventually('the registration', () => lease.fault === undefined)
    expect(lease.incarnation).toBe(2)
  })

  test('tries again what the registry could not do', async () => {
    const registry = await startRegistry()
    let failures = 0
    registry.script((request, peer) => {
      if (request.type !== 'register' || failures === 2) return false
      failures += 1
      peer.send({ type: 'failed', seq: request.seq, code: 'store_failed', message: 'disk', retryable: true })
      return true
    })
    expect((await (await open(registry)).register(order1)).incarnation).toBe(1)
    expect(registry.of('register')).toHaveLength(3)
  })

  test('cannot be had twice at a time', async () => {
    const portolan = await open(await startRegistry())
    const lease = await portolan.register(order1)
    await expect(portolan.register(order1)).rejects.toMatchObject({ code: 'invalid_request' })
    await lease.deregister()
    expect((await portolan.register(order1)).incarnation).toBe(2)
  })

  test('drains, waits until it may stop, and says goodbye by its incarnation', async () => {
    const registry = await startRegistry()
    const drains: number[] = []
    let mayStop = () => {}
    registry.script((request, peer) => {
      if (request.type !== 'drain') return false
      drains.push(request.graceMs ?? 0)
      peer.send({ type: 'done', seq: request.seq })
      mayStop = () => peer.send({ type: 'may-stop', service: 'order', id: 'order-1', acknowledged: true })
      return true
    })
    const portolan = await open(registry)
    const lease = await portolan.register(order1)
    const closing = lease.close({ graceMs: 60_000 })
    expect(lease.close()).toBe(closing)
    await eventually('the drain', () => drains.length === 1)
    expect(registry.of('deregister')).toHaveLength(0)
    mayStop()
    await closing
    expect(drains).toEqual([60_000])
    expect(registry.of('deregister')).toMatchObject([{ id: 'order-1', incarnation: 1 }])
  })

  test('goes on with its drain over the next connection', async () => {
    const registry = await startRegistry()
    registry.script((request, peer) => {
      if (request.type !== 'drain') return false
      peer.send({ type: 'done', seq: request.seq })
      if (registry.peers.length === 1) peer.drop()
      else peer.send({ type: 'may-stop', service: 'order', id: 'order-1', acknowledged: true })
      return true
    })
    const lease = await (await open(registry)).register(order1)
    await lease.close({ graceMs: 60_000 })
    expect(registry.of('drain')).toHaveLength(2)
    expect(registry.peers[1]?.received.map(({ type }) => type)).toEqual([
      'hello',
      'register',
      'drain',
      'deregister',
    ])
  })

  test('waits no longer than its grace time', async () => {
    const registry = await startRegistry()
    registry.script((request, peer) => {
      if (request.type !== 'drain') return false
      peer.send({ type: 'done', seq: request.seq })
      return true
    })
    const lease = await (await open(registry)).register(order1)
    await lease.close({ graceMs: 20 })
    expect(registry.of('deregister')).toHaveLength(1)
  })

  test('owes its goodbye while no registry answers', async () => {
    const registry = await startRegistry()
    const portolan = await open(registry)
    const lease = await portolan.register(order1)
    await registry.stop()
    await eventually('the loss', () => !portolan.connected)
    await lease.close()
    await registry.start()
    await eventually('the goodbye', () => registry.of('deregister').length === 1)
    expect(registry.of('register')).toHaveLength(1)
  })

  test('is given up when no registry acknowledges it in time, and not left behind', async () => {
    const registry = await startRegistry()
    registry.script(request => request.type === 'register')
    const portolan = await open(registry)
    const fault = await portolan.register({ ...order1, timeoutMs: 300 }).catch((thrown: unknown) => thrown)
    expect(fault).toMatchObject({ code: 'registry_unreachable', retryable: true })
    registry.script(() => false)
    registry.peers[0]?.drop()
    // Nobody knows whether the first one arrived: it is claimed once more, so that it can be named and given up.
    await eventually('the goodbye', () => registry.of('deregister').length === 1)
    expect(registry.of('deregister')).toMatchObject([{ incarnation: 1 }])
  })

  test('waits through an outage for its first acknowledgement', async () => {
    const registry = await startRegistry()
    registry.script(request => request.type === 'register')
    const registering = (await open(registry, { timeoutMs: 500 })).register(order1)
    await eventually('the question', () => registry.of('register').length === 1)
    await registry.stop()
    registry.script(() => false)
    await registry.start()
    expect((await registering).incarnation).toBe(1)
  })

  test('a lazy client registers when a registry comes', async () => {
    const registry = await startRegistry()
    await registry.stop()
    const portolan = await open(registry, { lazy: true })
    expect(portolan.connected).toBe(false)
    const registering = portolan.register(order1)
    await registry.start()
    expect((await registering).incarnation).toBe(1)
  })

  test('a closed client registers nothing', async () => {
    const portolan = await open(await startRegistry())
    await portolan.close()
    await expect(portolan.register(order1)).rejects.toMatchObject({ code: 'session_closed' })
    expect(() => portolan.service('order')).toThrow('this client is closed')
  })
})
