import { Resolver } from 'node:dns/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DnsWorld, measureChanges, openDns, startTrio, tell } from './dns-world.ts'

let world: DnsWorld
let resolver: Resolver
beforeAll(async () => {
  world = await openDns()
  resolver = new Resolver({ timeout: 1000, tries: 2 })
  resolver.setServers([`127.0.0.1:${world.port}`])
})
afterAll(() => world?.close())

const codeOf = (asked: Promise<unknown>): Promise<unknown> =>
  asked.then(
    found => found,
    (error: NodeJS.ErrnoException) => error.code,
  )

describe('node:dns', () => {
  it('tells what is not there from what has no such record', async () => {
    const options = { service: 'order', id: 'order-1', address: '10.0.0.5', port: 8080, checks: [] }
    const lease = await world.register({ ...options, version: '2', metadata: { team: 'orders' } })
    await expect.poll(() => codeOf(resolver.resolve4('order.portolan'))).toEqual(['10.0.0.5'])
    expect(await resolver.resolve4('ORDER.Portolan', { ttl: true })).toEqual([
      { address: '10.0.0.5', ttl: 1 },
    ])
    expect(await codeOf(resolver.resolve6('order.portolan'))).toBe('ENODATA')
    expect(await codeOf(resolver.resolve4('nobody.portolan'))).toBe('ENOTFOUND')
    expect(await codeOf(resolver.resolve4('example.com'))).toBe('EREFUSED')

    expect(await resolver.resolveSrv('_order._tcp.portolan')).toEqual([
      { name: 'order-1.instance.order.portolan', port: 8080, priority: 0, weight: 1 },
    ])
    expect(await resolver.resolve4('order-1.instance.order.portolan')).toEqual(['10.0.0.5'])
    expect((await resolver.resolveTxt('order.portolan')).flat()).toEqual(
      expect.arrayContaining(['id=order-1', 'version=2', 'team=orders']),
    )
    expect(await resolver.reverse('10.0.0.5')).toEqual(['order-1.instance.order.portolan'])
    expect(await resolver.resolveNs('portolan')).toEqual(['ns.portolan'])
    expect(await resolver.resolveSoa('portolan')).toMatchObject({ nsname: 'ns.portolan', minttl: 1 })

    expect(await resolver.resolve4('order.service.consul')).toEqual(['10.0.0.5'])
    await lease.deregister()
    await expect.poll(() => codeOf(resolver.resolve4('order.portolan'))).toBe('ENODATA')
    expect(await codeOf(resolver.resolve4('order.service.consul'))).toBe('ENOTFOUND')
  })

  it('has the whole of a long answer, by TCP', async () => {
    const ids = Array.from({ length: 150 }, (_, i) => i)
    await Promise.all(
      ids.map(i =>
        world.register({ service: 'crowd', id: `c-${i}`, address: `10.1.0.${i}`, port: 80, checks: [] }),
      ),
    )
    await expect.poll(async () => (await resolver.resolve4('crowd.portolan')).length).toBe(150)
    expect(new Set((await resolver.resolveSrv('_crowd._tcp.portolan')).map(({ name }) => name)).size).toBe(
      150,
    )
  })

  it('knows of a change at the next question', async () => {
    const trio = await startTrio(world)
    const seen = await measureChanges(world, trio, () => resolver.resolve4('echo.portolan'))
    await world.stopDns()
    expect(await codeOf(resolver.resolve4('echo.portolan'))).toBe('ECONNREFUSED')
    tell('node:dns', 'asks each time; keeps nothing', seen, 'ECONNREFUSED')
    expect(Math.max(seen.registered, seen.drained, seen.killed)).toBeLessThan(2000)
  })
})
