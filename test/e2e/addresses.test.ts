import { afterEach, expect, it } from 'vitest'
import {
  answering,
  gatewayFor,
  hello,
  Opened,
  RawClient,
  rawUpstream,
} from '../../packages/portolan/src/proxy/testing/harness.ts'
import { instanceOf } from '../../packages/portolan/src/proxy/testing/static-resolver.ts'
import { Faults } from '../faults/faults.ts'
import { describeInNamespaces } from '../faults/namespaced.ts'

const faults = new Faults()
const opened = new Opened()
afterEach(async () => {
  await opened.close()
  await faults.undo()
})

const get = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
const closing = hello.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')

describeInNamespaces('an instance with two addresses, one of which swallows every packet', () => {
  it('is reached by the other within the head start, and then at once, without asking the first again', async () => {
    const namespace = faults.namespace()
    namespace.lose(100)
    const upstream = await rawUpstream(opened, answering(closing), '::1')
    const { gateway, resolver } = await gatewayFor(opened, [], { connectMs: 5000 })
    const addresses = [namespace.inside, '::1']
    resolver.give('order', [instanceOf('order', 'order-1', upstream.port, { addresses })])
    const took: number[] = []
    for (let n = 1; n <= 10; n++) {
      const began = performance.now()
      await new RawClient(opened, gateway.port).send(get).until('hello')
      took.push(performance.now() - began)
      expect(upstream.accepted()).toBe(n)
    }
    // A tenth of what a connection may take.
    expect(took[0]).toBeGreaterThan(490)
    expect(took[0]).toBeLessThan(2000)
    for (const later of took.slice(1)) expect(later).toBeLessThan(490)
    expect(namespace.counted().asked).toBe(1)
    expect(gateway.stats.of('order')).toMatchObject({ connectErrors: 0, retries: 0 })
  })

  it('is reached by the first when that comes back, once the other fails', async () => {
    const namespace = faults.namespace()
    namespace.lose(100)
    const upstream = await rawUpstream(opened, answering(closing), '::1')
    const { gateway, resolver } = await gatewayFor(opened, [], { connectMs: 1000 })
    const addresses = [namespace.inside, '::1']
    resolver.give('order', [instanceOf('order', 'order-1', upstream.port, { addresses })])
    await new RawClient(opened, gateway.port).send(get).until('hello')
    upstream.kill()
    namespace.lose(0)
    // Nobody listens at the first one either: it is asked, and refuses.
    await new RawClient(opened, gateway.port).send(get).until('connect_failed')
    expect(namespace.counted().asked).toBeGreaterThanOrEqual(1)
  })
})
