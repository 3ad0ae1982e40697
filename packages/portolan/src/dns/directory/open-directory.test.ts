import { type Instance, seededRandom } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import { instanceOf } from '../../proxy/testing/static-resolver.ts'
import { virtualTime } from '../../registry/testing/virtual-time.ts'
import { onTheWayMs } from './letting-go.ts'
import { openDirectory } from './open-directory.ts'
import { StaticCatalogue } from './testing/static-catalogue.ts'

const named = (service: string, namespace = 'default') => ({ namespace, service })
const order = named('order')
const ill: Partial<Instance> = {
  causes: [{ kind: 'http', owner: 'check', reason: 'down', since: '2030-01-01T00:00:00.000Z' }],
}

function open() {
  const time = virtualTime()
  const catalogue = new StaticCatalogue()
  const directory = openDirectory({ resolver: catalogue, clock: time, timers: time, ttlMs: 1000 })
  return { time, catalogue, directory }
}

const ids = (instances: readonly Instance[] | undefined) => instances?.map(({ id }) => id)

describe('a directory', () => {
  it('is ready when the services are told, and all that were named first', async () => {
    const { catalogue, directory } = open()
    let isReady: boolean | undefined
    void directory.whenReady().then(ready => {
      isReady = ready
    })
    catalogue.give(order, [])
    expect(directory.ready).toBe(false)
    catalogue.list([order, named('pay')])
    const { version } = directory
    expect(directory.ready).toBe(false)
    catalogue.list([order, named('pay'), named('late')])
    catalogue.give(named('pay'), [instanceOf('pay', 'p', 80)])
    expect(directory.ready).toBe(true)
    expect(directory.version).toBeGreaterThan(version)
    await directory.whenReady()
    expect(isReady).toBe(true)
    expect(directory.size).toBe(3)
    directory.close()
  })

  it('says until when its answers are held, where there were any', async () => {
    const { time, catalogue, directory } = open()
    catalogue.list([order])
    catalogue.give(order, [instanceOf('order', 'a', 80)])
    expect(directory.heldUntil).toBeLessThan(time.now())
    for (const source of [directory.service('default', 'order'), directory]) {
      await time.pass(500)
      if (source !== undefined) directory.touched(source)
      expect(directory.heldUntil).toBe(time.now() + 1000 + onTheWayMs)
    }
    directory.close()
  })

  it('is ready at once where there is no service', () => {
    const { catalogue, directory } = open()
    catalogue.list([])
    expect(directory.ready).toBe(true)
  })

  it('does not wait for ever for a service of which nothing is told, nor for one that goes', async () => {
    const { time, catalogue, directory } = open()
    catalogue.list([order])
    await time.pass(4999)
    expect(directory.ready).toBe(false)
    await time.pass(1)
    expect(directory.ready).toBe(true)
    expect(directory.service('default', 'order')?.eligible).toEqual([])

    const slow = open()
    slow.catalogue.list([order, named('pay'), named('cart')])
    for (const name of [order, named('pay')]) {
      await slow.time.pass(4000)
      slow.catalogue.give(name, [])
    }
    await slow.time.pass(4999)
    expect(slow.directory.ready).toBe(false)
    await slow.time.pass(1)
    expect(slow.directory.ready).toBe(true)

    const other = open()
    other.catalogue.list([order])
    other.catalogue.list([])
    expect(other.directory.ready).toBe(true)
    expect(other.time.waiting).toBe(0)
  })

  it('closed, it holds nothing, and whoever waits for it hears so', async () => {
    const { time, catalogue, directory } = open()
    catalogue.list([order])
    catalogue.give(order, [instanceOf('order', 'a', 80)])
    const waiting = open()
    const waited = waiting.directory.whenReady()
    waiting.directory.close()
    directory.close()
    directory.close()
    expect(await waited).toBe(false)
    expect(await waiting.directory.whenReady()).toBe(false)
    expect([catalogue.subscribed, catalogue.watchers, time.waiting]).toEqual([[], 0, 0])
  })

  it('knows who may be picked, in panic too, by the same object with another version', () => {
    const { catalogue, directory } = open()
    catalogue.list([order])
    const known = directory.service('default', 'order')
    const [a, b] = [instanceOf('order', 'a', 80), instanceOf('order', 'b', 80)]
    catalogue.give(order, [a, { ...b, ...ill }])
    expect(ids(known?.eligible)).toEqual(['a'])
    expect(known?.panic).toBe(false)
    const version = known?.version ?? 0
    catalogue.give(order, [
      { ...a, ...ill },
      { ...b, ...ill },
    ])
    expect(ids(known?.eligible)).toEqual(['a', 'b'])
    expect(known?.panic).toBe(true)
    expect(known?.version).toBeGreaterThan(version)
    expect(directory.service('default', 'order')).toBe(known)
    const before = directory.version
    catalogue.give(order, [{ ...a, weight: 0 }, b])
    expect(ids(known?.eligible)).toEqual(['b'])
    expect(directory.version).toBeGreaterThan(before)
  })

  it('leaves the version of a service alone while others change', () => {
    const { catalogue, directory } = open()
    catalogue.list([order, named('pay')])
    catalogue.give(order, [instanceOf('order', 'a', 80)])
    const version = directory.service('default', 'order')?.version
    catalogue.give(named('pay'), [instanceOf('pay', 'a', 80)])
    catalogue.markStale(order, true)
    catalogue.list([order, named('pay'), named('cart')])
    expect(directory.service('default', 'order')?.version).toBe(version)
  })

  it('finds services whatever the case; of two, the one that comes last, whose answers are then made anew', () => {
    const { catalogue, directory } = open()
    catalogue.list([named('Order', 'Staging'), named('ORDER', 'Staging')])
    const first = directory.service('staging', 'order')
    expect(first?.name).toEqual(named('Order', 'Staging'))
    const version = first?.version ?? 0
    catalogue.list([named('Order', 'Staging'), named('ORDER', 'Staging'), named('order', 'staging')])
    expect(directory.service('staging', 'order')?.name).toEqual(named('order', 'staging'))
    expect(first?.version).toBeGreaterThan(version)
    catalogue.give(named('order', 'staging'), [])
    catalogue.list([named('Order', 'Staging')])
    expect(directory.service('staging', 'order')).toBe(first)
    expect(directory.service('Staging', 'Order')).toBeUndefined()
  })

  it('forgets a service that is named no more when nobody is left of it, and not before', () => {
    const { catalogue, directory } = open()
    catalogue.list([order, named('pay')])
    catalogue.give(order, [instanceOf('order', 'a', 80, { zone: 'zone-a' })])
    const known = directory.service('default', 'order')
    catalogue.list([named('pay')])
    expect(directory.service('default', 'order')).toBe(known)
    expect(directory.isAbove('zone-a')).toBe(true)
    const { version } = known ?? { version: 0 }
    catalogue.give(order, [])
    expect(directory.service('default', 'order')).toBeUndefined()
    expect(directory.isAbove('zone-a')).toBe(false)
    expect(known?.version).toBeGreaterThan(version)
    expect(catalogue.subscribed).toEqual(['default/pay'])
    expect(directory.size).toBe(1)
  })

  it('and whatever was answered from a service that is forgotten is out of date', () => {
    const { catalogue, directory } = open()
    catalogue.list([order])
    catalogue.give(order, [])
    const known = directory.service('default', 'order')
    const version = known?.version ?? Number.POSITIVE_INFINITY
    catalogue.list([])
    expect(known?.version).toBeGreaterThan(version)
    catalogue.list([order])
    expect(directory.service('default', 'order')).not.toBe(known)
  })

  it('a service that is named again is the same as before while somebody was left', () => {
    const { catalogue, directory } = open()
    catalogue.list([order])
    catalogue.give(order, [instanceOf('order', 'a', 80)])
    const known = directory.service('default', 'order')
    catalogue.list([])
    catalogue.list([order])
    catalogue.give(order, [])
    expect(directory.service('default', 'order')).toBe(known)
  })

  it('is stale while anything that the registry names is', () => {
    const { catalogue, directory } = open()
    catalogue.list([order, named('pay')])
    for (const name of [order, named('pay')]) catalogue.give(name, [instanceOf(name.service, 'a', 80)])
    expect(directory.stale).toBe(false)
    for (const name of [order, named('pay')]) catalogue.markStale(name, true)
    const version = directory.service('default', 'order')?.version
    catalogue.markStale(order, false)
    expect(directory.stale).toBe(true)
    catalogue.list([order])
    expect(directory.stale).toBe(false)
    catalogue.list([order, named('pay')])
    expect(directory.stale).toBe(true)
    catalogue.markStale(named('pay'), false)
    expect(directory.stale).toBe(false)
    expect(directory.service('default', 'order')?.version).toBe(version)
  })

  it('knows instances by address and by host, whether they may be picked or not', () => {
    const { catalogue, directory } = open()
    catalogue.list([order, named('pay')])
    catalogue.give(order, [
      instanceOf('order', 'b', 80, { addresses: ['10.0.0.1', 'fe80::1%eth0'], host: 'Box-1', ...ill }),
      instanceOf('order', 'a', 80, { addresses: ['10.0.0.1', '10.0.0.1'], host: 'box-1' }),
    ])
    catalogue.give(named('pay'), [instanceOf('pay', 'p', 80, { addresses: ['10.0.0.1'] })])
    const keys = (instances: readonly Instance[]) => instances.map(({ service, id }) => `${service}/${id}`)
    expect(keys(directory.addressed('10.0.0.1'))).toEqual(['order/a', 'order/b', 'pay/p'])
    expect(keys(directory.addressed('fe80::1'))).toEqual(['order/b'])
    expect(keys(directory.hosted('box-1'))).toEqual(['order/a', 'order/b'])
    expect(directory.hosted('Box-1')).toEqual([])
    expect(directory.addressed('10.0.0.2')).toEqual([])
    catalogue.give(order, [])
    expect(keys(directory.addressed('10.0.0.1'))).toEqual(['pay/p'])
    expect(directory.addressed('fe80::1')).toEqual([])
  })

  it('in the end is the same as one that was told the last state alone, whatever happened', () => {
    for (let seed = 1; seed <= 150; seed++) runStory(seed)
  })
})

const services = ['order', 'Order', 'pay', 'a.b'].flatMap(service => [named(service), named(service, 'Ns')])
const hosts = ['box-1', 'BOX-1', undefined]
const zones = ['z', 'eu.z', undefined]
const addresses = ['10.0.0.1', '10.0.0.2', 'fe80::1%eth0', 'fd00::1']

function someInstance(service: string, namespace: string, draw: (most: number) => number): Instance {
  const host = hosts[draw(3)]
  const zone = zones[draw(3)]
  return instanceOf(service, `i-${draw(5)}`, 80, {
    namespace,
    addresses: [addresses[draw(4)] ?? '', addresses[draw(4)] ?? ''],
    ...(host === undefined ? {} : { host }),
    ...(zone === undefined ? {} : { zone }),
    ...(draw(3) === 0 ? ill : {}),
  })
}

/** Changes sets and the list at random, and compares with a directory that is built from scratch. */
function runStory(seed: number): void {
  const random = seededRandom(seed)
  const draw = (most: number) => Math.floor(random() * most)
  const { catalogue, directory } = open()
  const held = new Map<string, Map<string, Instance>>()
  let listed: readonly (typeof order)[] = []
  const relist = () => {
    listed = services.filter(name => draw(4) > 0 || (held.get(keyOf(name))?.size ?? 0) > 0)
    catalogue.list(listed)
  }
  relist()
  for (let step = 0; step < 40; step++) {
    const name = services[draw(services.length)] ?? order
    const members = held.get(keyOf(name)) ?? new Map<string, Instance>()
    for (let change = draw(4); change > 0; change--) {
      const instance = someInstance(name.service, name.namespace, draw)
      if (draw(3) === 0) members.delete(instance.id)
      else members.set(instance.id, instance)
    }
    held.set(keyOf(name), members)
    catalogue.give(name, [...members.values()])
    if (step % 7 === 0) relist()
  }
  relist()
  const fresh = open()
  fresh.catalogue.list(listed)
  for (const name of listed) fresh.catalogue.give(name, [...(held.get(keyOf(name))?.values() ?? [])])
  expect(seen(directory)).toEqual(seen(fresh.directory))
  expect(catalogue.subscribed).toEqual(fresh.catalogue.subscribed)
  for (const name of services) {
    catalogue.give(name, [])
    catalogue.list([])
  }
  expect(seen(directory)).toEqual(seen(open().directory))
}

function seen(directory: ReturnType<typeof open>['directory']) {
  return {
    size: directory.size,
    services: services.map(({ namespace, service }) => {
      const known = directory.service(namespace.toLowerCase(), service.toLowerCase())
      return [known?.name, known?.set.instances, ids(known?.eligible), known?.panic]
    }),
    addressed: addresses.map(address => directory.addressed(address.split('%')[0] ?? '')),
    hosted: ['box-1', 'box-2'].map(host => directory.hosted(host)),
    branches: ['z', 'eu.z', 'b', 'ns.ns', 'z.ns.ns', 'a'].map(name => directory.isAbove(name)),
  }
}

function keyOf({ namespace, service }: typeof order): string {
  return `${namespace}/${service}`
}
