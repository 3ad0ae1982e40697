import type { Socket } from 'node:net'
import {
  breakerDefaults,
  type RetryBudgetSettings,
  type RetrySettings,
  type Route,
  type RouteTable,
} from '@portolan/core'
import { describe, expect, it } from 'vitest'
import { fixture } from './testing/fixture.ts'
import { answering, deadPort, eventually, hello } from './testing/harness.ts'
import { openInstance, runStorm } from './testing/storm.ts'

const { opened, gatewayFor, rawUpstream, clientOf } = fixture()

const unavailable = 'HTTP/1.1 503 Busy\r\nRetry-After: 9\r\nContent-Length: 4\r\n\r\nbusy'
const get = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'

type Retry = RetrySettings & { readonly budget?: RetryBudgetSettings }

function tableWith(retry: Retry, route: Partial<Route> = {}): RouteTable {
  return {
    routes: [{ match: { path: '/' }, service: 'order', ...route }],
    exposed: [],
    policies: { order: 'round-robin' },
    retries: { order: retry },
  }
}

/** A gateway before one instance that answers so and one that says hello; requests go to the first one first. */
async function before(response: string, retry: Retry, route: Partial<Route> = {}) {
  const bad = await rawUpstream(answering(response))
  const good = await rawUpstream(answering(hello))
  const table = tableWith(retry, route)
  const { gateway } = await gatewayFor([bad.port, good.port], {}, table)
  return { bad, good, gateway, client: clientOf(gateway.port) }
}

describe('retries on statuses', () => {
  it('ask another instance, and the client sees nothing of it', async () => {
    const { bad, client } = await before(unavailable, { on: [503] })
    for (let count = 1; count <= 4; count++) {
      client.received = ''
      expect(await client.send(get).until('hello')).not.toContain('503')
    }
    expect(bad.received()).not.toBe('')
    // The answer that nobody wanted was read, and its connection used again.
    expect(bad.accepted()).toBe(1)
  })

  it('send the body once more', async () => {
    const { good, client } = await before(unavailable, { on: [503] })
    await client.send('PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody').until('hello')
    await client.send('PUT /b HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody')
    await eventually(() => good.received().includes('/b'))
    expect(good.received()).toMatch(/^PUT \/a [\s\S]*\r\n\r\nbodyPUT \/b [\s\S]*\r\n\r\nbody$/)
  })

  it.each<[string, Retry, string]>([
    ['nothing says so', {}, get],
    ['another status is meant', { on: [502, 'refused'] }, get],
    ['there is no further try', { on: [503], attempts: 0 }, get],
    ['there is no budget', { on: [503], budget: { ratio: 0, minPerSecond: 0 } }, get],
    [
      'it may have been carried out',
      { on: [503] },
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n',
    ],
  ])('leave the answer as it is where %s', async (_, retry, request) => {
    const { client } = await before(unavailable, retry)
    client.send(request.repeat(2))
    const answer = await client.until('busy')
    expect(answer).toContain('Retry-After: 9\r\n')
  })

  it('leave it where all have been asked', async () => {
    const first = await rawUpstream(answering(unavailable))
    const second = await rawUpstream(answering(unavailable))
    const table = tableWith({ on: [503], attempts: 5 })
    const { gateway } = await gatewayFor([first.port, second.port], {}, table)
    const client = clientOf(gateway.port)
    await client.send(get).until('busy')
    expect(client.received.match(/503/g)).toHaveLength(1)
    expect(first.received().match(/GET/g)).toHaveLength(1)
    expect(second.received().match(/GET/g)).toHaveLength(1)
  })

  it('close the connection of an answer that is endless', async () => {
    const endless = `HTTP/1.1 503 Busy\r\nContent-Length: 10000000\r\n\r\n${'x'.repeat(200_000)}`
    const { bad, client } = await before(endless, { on: [503] })
    await client.send(get).until('hello')
    client.received = ''
    await client.send(get).until('hello')
    await eventually(() => bad.received() !== '' && bad.sockets.size === 0)
    expect(client.received).not.toContain('x')
  })

  it('are done with the answer that they leave, though they wait in line for another one', async () => {
    let busy: Socket | undefined
    const answer = (socket: Socket, text: string) => {
      if (text.startsWith('GET /hello')) socket.write(hello)
      if (!text.startsWith('GET /busy')) return
      busy = socket
      socket.write(unavailable.slice(0, -1))
    }
    const upstreams = [await rawUpstream(answer), await rawUpstream(answer)]
    const ports = upstreams.map(({ port }) => port)
    const breaker = { ...breakerDefaults, connections: 1, queueTimeoutMs: 60_000 }
    const { gateway } = await gatewayFor(ports, { breaker }, tableWith({ on: [503] }))
    const stats = gateway.stats.of('order')
    clientOf(gateway.port).send(get.replace('/', '/hold'))
    await eventually(() => upstreams.some(({ received }) => received().includes('/hold')))
    const leaver = clientOf(gateway.port).send(get.replace('/', '/busy'))
    await eventually(() => stats.load?.pools.pending === 1)
    leaver.socket.destroy()
    await eventually(() => stats.cancelled === 1)
    busy?.write('y')
    await clientOf(gateway.port).send(get.replace('/', '/hello')).until('hello')
    expect(upstreams.map(({ accepted }) => accepted())).toEqual([1, 1])
  })

  it('are what the route says, where it says anything', async () => {
    const { client } = await before(unavailable, { on: [503] }, { retry: { on: [] } })
    await client.send(get.repeat(2)).until('busy')
  })
})

describe('retries', () => {
  it('ask another instance when one takes too long to answer', async () => {
    const { bad, client } = await before('', { perTryTimeoutMs: 100 })
    await client.send(get).until('hello')
    client.received = ''
    await client.send(get).until('hello')
    await eventually(() => bad.received() !== '' && bad.sockets.size === 0)
  })

  it('do not, where the request may have been carried out', async () => {
    const { client } = await before('', { perTryTimeoutMs: 100 })
    const post = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n'
    await client.send(post.repeat(2)).until('response_timeout')
  })

  it('are none where none are wanted', async () => {
    const good = await rawUpstream(answering(hello))
    const table = tableWith({ attempts: 0 })
    const { gateway } = await gatewayFor([await deadPort(), good.port], {}, table)
    await clientOf(gateway.port).send(get.repeat(2)).until('connect_failed')
  })

  it('are as by default where a newer registry says what nobody understands', async () => {
    const strange = { attempts: 'many', on: 'all' } as unknown as Retry
    const good = await rawUpstream(answering(hello))
    const { gateway } = await gatewayFor([await deadPort(), good.port], {}, tableWith(strange))
    const client = clientOf(gateway.port)
    await client.send(get.repeat(3)).until(() => client.received.split('hello').length > 3)
  })
})

describe('a storm', () => {
  it('adds a fifth of the requests at most, and is over when its cause is', async () => {
    const instances = await Promise.all([1, 2, 3, 4].map(() => openInstance(4, 80)))
    for (const { close } of instances) opened.add(close)
    const table: RouteTable = {
      ...tableWith({ on: ['refused', 'connect', 'reset', 502, 503, 504], attempts: 3 }),
      policies: {},
    }
    const ports = instances.map(({ port }) => port)
    const { gateway } = await gatewayFor(ports, {}, table)
    // All four can do 200 a second, the healthy two 100.
    const plan = {
      gatewayPort: gateway.port,
      instances,
      perSecond: 200,
      perSecondAfter: 160,
      stormMs: 3000,
      afterMs: 6000,
    }
    const result = await runStorm(plan)
    expect(result.failedInStorm).toBeGreaterThan(20)
    expect(result.tries / result.requests).toBeLessThanOrEqual(1.2)
    expect(result.recoveryMs).toBeLessThanOrEqual(5000)
  }, 30_000)
})
