import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { afterEach, describe, expect, test } from 'vitest'
import { FixedResolver } from '../testing/fixed-resolver.ts'
import { localRuntime } from '../testing/local-runtime.ts'
import { startOrigin } from '../testing/origin.ts'
import { instanceOf } from '../testing/scripted-registry.ts'
import { dial, type Target } from './dial.ts'
import { openService } from './service.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

const interfaces = Object.entries(networkInterfaces()).flatMap(([name, list]) =>
  (list ?? []).map(({ address }) => ({ name, address })),
)
const hasV6 = interfaces.some(({ address }) => address === '::1')

async function listen(host: string): Promise<{ port: number; server: Server }> {
  const server = createServer(socket => socket.on('error', () => {}))
  server.listen(0, host)
  await once(server, 'listening')
  ends.push(() => server.close())
  return { port: (server.address() as AddressInfo).port, server }
}

const connect = (target: Target, timeoutMs = 1000) =>
  new Promise<Socket>((resolve, reject) => {
    dial(target, timeoutMs, (error, socket) => {
      if (socket === null) return reject(error)
      ends.push(() => socket.destroy())
      resolve(socket)
    })
  })

describe('an instance with two addresses', () => {
  test.runIf(hasV6).each([
    ['::1', '127.0.0.1'],
    ['127.0.0.1', '::1'],
  ])('of which %s is dead is reached at the other', async (dead, alive) => {
    const { port } = await listen(alive)
    const socket = await connect({ addresses: [dead, alive], port })
    expect(socket.remoteAddress).toBe(alive)
  })

  test('that are both dead fails with what the last one said', async () => {
    const { port, server } = await listen('127.0.0.1')
    server.close()
    await once(server, 'close')
    await expect(connect({ addresses: ['127.0.0.1', '127.0.0.2'], port })).rejects.toMatchObject({
      code: 'ECONNREFUSED',
      address: '127.0.0.2',
    })
  })

  test.runIf(hasV6)('is one instance: every call gets through, and none is tried elsewhere', async () => {
    const origin = await startOrigin()
    ends.push(() => origin.kill())
    const resolver = new FixedResolver()
    const more = { addresses: ['::1', '127.0.0.1'] }
    resolver.set([instanceOf('order', 'order-1', origin.port, more)])
    const order = openService(resolver, { namespace: 'default', service: 'order' }, {}, localRuntime())
    ends.push(() => order.close(200))
    for (let call = 0; call < 5; call++) {
      const response = await order.fetch('/', { method: 'POST', body: String(call) })
      expect(response.status).toBe(200)
    }
    expect(origin.requests).toHaveLength(5)
    expect(order.pick().instance.causes).toEqual([])
  })
})

const linkLocal = interfaces.find(({ address }) => address.startsWith('fe80:'))

test.runIf(linkLocal !== undefined)('a zone id says by which interface', async () => {
  const address = `${linkLocal?.address}%${linkLocal?.name}`
  const { port } = await listen(address)
  expect((await connect({ addresses: [address], port })).remotePort).toBe(port)
})
