import { createServer as createTcpServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Fault } from '@portolan/core'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../testing/eventually.ts'
import { FixedResolver } from '../testing/fixed-resolver.ts'
import { localRuntime } from '../testing/local-runtime.ts'
import { type Origin, startOrigin } from '../testing/origin.ts'
import { instanceOf } from '../testing/scripted-registry.ts'
import { type OpenService, openService, type ServiceOptions } from './service.ts'

const name = { namespace: 'default', service: 'order' }
const ends: (() => unknown)[] = []
let resolver: FixedResolver

beforeEach(() => {
  resolver = new FixedResolver()
})

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function origin(listener?: Parameters<typeof startOrigin>[0]): Promise<Origin> {
  const started = await startOrigin(listener)
  ends.push(() => started.kill())
  return started
}

function open(options: ServiceOptions = {}): OpenService {
  const service = openService(resolver, name, options, localRuntime())
  ends.push(() => service.close(200))
  return service
}

function serve(...origins: readonly { readonly port: number }[]): void {
  resolver.set(origins.map(({ port }, index) => instanceOf('order', `order-${index + 1}`, port)))
}

/** A port that refuses connections. */
async function deadPort(): Promise<{ port: number }> {
  const dead = await startOrigin()
  await dead.kill()
  return { port: dead.port }
}

/** Takes a connection, reads something, cuts it. */
async function cutter(): Promise<{ port: number; hits: () => number }> {
  let hits = 0
  const server = createTcpServer(socket => {
    socket.on('error', () => {})
    socket.once('data', () => {
      hits += 1
      socket.destroy()
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  ends.push(() => server.close())
  const address = server.address()
  return { port: typeof address === 'object' && address !== null ? address.port : 0, hits: () => hits }
}

describe('fetch', () => {
  test('spreads over the instances and gives the platform’s Response', async () => {
    const [a, b] = [await origin(), await origin()]
    serve(a, b)
    const order = open({ policy: 'round-robin' })
    for (let call = 0; call < 10; call++) {
      const response = await order.fetch(`/orders/${call}?q=1`)
      expect(response).toBeInstanceOf(Response)
      expect(response.headers.get('content-type')).toBe('application/json')
      expect(await response.json()).toMatchObject({ method: 'GET', url: `/orders/${call}?q=1` })
    }
    expect([a.requests.length, b.requests.length]).toEqual([5, 5])
  })

  test('waits for the first set, for a bounded time', async () => {
    const a = await origin()
    const order = open({ firstSetMs: 10_000 })
    const early = order.fetch('/')
    serve(a)
    expect((await early).status).toBe(200)

    resolver = new FixedResolver()
    const nobody = open({ firstSetMs: 20 })
    await expect(nobody.fetch('/')).rejects.toMatchObject({ code: 'no_instance_available', retryable: true })
    const enough = new Error('enough')
    await expect(nobody.fetch('/', { signal: AbortSignal.abort(enough) })).rejects.toBe(enough)
    const controller = new AbortController()
    const waiting = open({ firstSetMs: 60_000 }).fetch('/', { signal: controller.signal })
    controller.abort(enough)
    await expect(waiting).rejects.toBe(enough)
  })

  test('an instance that drains is let go of: its connections when they are done, and not earlier', async () => {
    const parts: (() => void)[] = []
    const [slow, other] = [
      await origin((_, response) => {
        response.write('fir')
        parts.push(() => response.end('st'))
      }),
      await origin(),
    ]
    const [first, second] = [
      instanceOf('order', 'order-1', slow.port),
      instanceOf('order', 'order-2', other.port),
    ]
    const { id, incarnation } = first
    const run = { id, incarnation }
    resolver.set([first])
    const order = open()
    const response = await order.fetch('/')
    expect(resolver.picker?.inFlight(run)).toBe(1)
    const causes = [{ kind: 'draining' as const, owner: 'drain', reason: 'deploy', since: '' }]
    resolver.set([{ ...first, causes }, second])
    expect(resolver.picker?.inFlight(run)).toBe(1)
    for (let call = 0; call < 5; call++) await (await order.fetch('/')).text()
    expect(other.requests).toHaveLength(5)
    expect(slow.connections()).toBe(1)
    expect(resolver.idled).toEqual([])
    parts[0]?.()
    expect(await response.text()).toBe('first')
    expect(resolver.picker?.inFlight(run)).toBe(0)
    expect(resolver.idled).toEqual([{ ...name, id }])
    await eventually('its connection closes', () => slow.connections() === 0)
  })

  test('a pick counts as under way until it is done', () => {
    resolver.set([instanceOf('order', 'order-1', 1)])
    const { instance, done } = open().pick()
    const causes = [{ kind: 'draining' as const, owner: 'drain', reason: 'deploy', since: '' }]
    resolver.set([{ ...instance, causes }])
    expect(resolver.picker?.inFlight(instance)).toBe(1)
    done()
    done()
    expect(resolver.idled).toEqual([{ ...name, id: 'order-1' }])
  })

  test('an empty service is an error at once', async () => {
    resolver.set([])
    await expect(open().fetch('/')).rejects.toThrow('order has no instance')
  })

  test('tries what was not written once more elsewhere, a POST too', async () => {
    const [dead, live] = [await deadPort(), await origin()]
    serve(dead, live)
    const order = open({ policy: 'round-robin' })
    for (let call = 0; call < 6; call++) {
      const response = await order.fetch('/', { method: 'POST', body: `call ${call}` })
      expect(await response.json()).toMatchObject({ body: `call ${call}` })
    }
    expect(live.requests).toHaveLength(6)
  })

  test('never sends a written POST again, and says that it may have been done', async () => {
    const [broken, live] = [await cutter(), await origin()]
    serve(broken, live)
    const order = open({ policy: 'round-robin' })
    const answers = await Promise.allSettled(
      [1, 2].map(() => order.fetch('/', { method: 'POST', body: 'x' })),
    )
    const failed = answers.filter(answer => answer.status === 'rejected')
    expect(failed).toHaveLength(1)
    expect(failed[0]?.reason).toMatchObject({ code: 'request_failed', source: 'upstream', retryable: false })
    expect(failed[0]?.reason.message).toContain('may have been done')
    expect(broken.hits()).toBe(1)
    expect(live.requests).toHaveLength(1)
  })

  test('sends a GET again whose connection broke', async () => {
    const [broken, live] = [await cutter(), await origin()]
    serve(broken, live)
    const order = open({ policy: 'round-robin' })
    for (let call = 0; call < 4; call++) expect((await order.fetch('/')).status).toBe(200)
    expect(broken.hits()).toBeGreaterThan(0)
    expect(live.requests).toHaveLength(4)
  })

  test('retries end with the budget', async () => {
    const [first, second] = [await cutter(), await cutter()]
    serve(first, second)
    const order = open()
    const calls = 300
    await Promise.allSettled(Array.from({ length: calls }, () => order.fetch('/')))
    const retries = first.hits() + second.hits() - calls
    // 10 a second are granted for 10 s ahead, and a fifth of the requests.
    expect(retries).toBe(Math.max(100, calls / 5))
  })

  test('a dead instance gets no more traffic, even when nobody says that it is dead', async () => {
    const [dead, live] = [await deadPort(), await origin()]
    serve(dead, live)
    const order = open({ policy: 'round-robin' })
    await order.fetch('/')
    await order.fetch('/')
    const picks = Array.from({ length: 20 }, () => order.pick().instance.id)
    expect(new Set(picks)).toEqual(new Set(['order-2']))
  })

  test('a time-out is a Fault, and is not tried again', async () => {
    const slow = await origin(() => {})
    serve(slow)
    const called = open({ timeoutMs: 100 }).fetch('/')
    await expect(called).rejects.toMatchObject({ code: 'request_timeout', source: 'upstream' })
  })

  test('rejects with the signal’s own reason, before and during the call', async () => {
    let arrived = 0
    const slow = await origin(() => {
      arrived += 1
    })
    serve(slow)
    const order = open()
    await expect(order.fetch('/', { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    })
    expect(arrived).toBe(0)
    const controller = new AbortController()
    const called = order.fetch('/', { signal: controller.signal })
    await eventually('the request arrives', () => arrived === 1)
    const reason = new Error('enough')
    controller.abort(reason)
    await expect(called).rejects.toBe(reason)
  })

  test('streams bodies that come in pieces, and ends them on abort', async () => {
    const dripping = await origin((_, response) => {
      response.write('one ')
      setTimeout(() => response.write('two '), 20)
    })
    serve(dripping)
    const controller = new AbortController()
    const response = await open().fetch('/', { signal: controller.signal })
    const reader = response.body?.getReader()
    const decoder = new TextDecoder()
    expect(decoder.decode((await reader?.read())?.value)).toBe('one ')
    expect(decoder.decode((await reader?.read())?.value)).toBe('two ')
    controller.abort(new Error('enough'))
    await expect(reader?.read()).rejects.toThrow('enough')
  })

  test('a large body waits for its reader and arrives whole', async () => {
    const size = 8 * 1024 * 1024
    const big = await origin((_, response) => response.end(Buffer.alloc(size, 'x')))
    serve(big)
    const response = await open().fetch('/')
    await sleep(50)
    expect((await response.arrayBuffer()).byteLength).toBe(size)
  })

  test('an instance that dies within a body breaks the body', async () => {
    const dying = await origin((_, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('half')
      setTimeout(() => response.destroy(), 20)
    })
    serve(dying)
    const response = await open().fetch('/')
    await expect(response.text()).rejects.toThrow()
  })

  test('gives decoded bodies, every cookie, and no body where there is none', async () => {
    const { gzipSync } = await import('node:zlib')
    const various = await origin((request, response) => {
      if (request.url === '/none') return response.writeHead(204).end()
      response.setHeader('set-cookie', ['a=1', 'b=2'])
      response.setHeader('content-encoding', 'gzip')
      return response.end(gzipSync('plain'))
    })
    serve(various)
    const order = open()
    const response = await order.fetch('/')
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
    expect(await response.text()).toBe('plain')
    const none = await order.fetch('/none')
    expect([none.status, none.body]).toEqual([204, null])
    expect((await order.fetch('/none', { method: 'HEAD' })).body).toBeNull()
  })

  test('passes 503 on as what it is', async () => {
    const busy = await origin((_, response) => response.writeHead(503).end('busy'))
    serve(busy)
    expect((await open().fetch('/')).status).toBe(503)
  })

  test('refuses what no instance could take', async () => {
    serve(await origin())
    const order = open()
    const refused = { code: 'invalid_request', source: 'caller', retryable: false }
    await expect(order.fetch('orders')).rejects.toMatchObject(refused)
    await expect(order.fetch('/', { body: 'x' })).rejects.toMatchObject(refused)
    await expect(order.fetch('/', { method: 'CONNECT' })).rejects.toMatchObject(refused)
    await expect(order.fetch('/', { headers: { 'a b': 'c' } })).rejects.toMatchObject(refused)
    await expect(order.fetch('/', { headers: { a: 'b\r\nc: d' } })).rejects.toMatchObject(refused)
    await expect(order.fetch('/', { method: 'POST', body: {} as never })).rejects.toBeInstanceOf(Fault)
  })

  test('calls the port that it was told', async () => {
    const admin = await origin()
    const ports = [
      { name: 'http', number: 1, protocol: 'http', tls: false },
      { name: 'admin', number: admin.port, protocol: 'http', tls: false },
    ] as const
    resolver.set([instanceOf('order', 'order-1', 1, { ports })])
    expect((await open({ port: 'admin' }).fetch('/')).status).toBe(200)
    await expect(open({ port: 'debug' }).fetch('/')).rejects.toThrow('no address and a port named "debug"')
  })
})

describe('redirects', () => {
  test('are followed within the service, and given back when they leave it', async () => {
    const moving = await origin((request, response) => {
      const to: Record<string, string> = {
        '/a': '/b',
        '/away': 'http://elsewhere.example/',
        '/loop': '/loop',
      }
      const location = to[request.url ?? '']
      if (location !== undefined) return response.writeHead(302, { location }).end('moved')
      return response.end(`${request.method} ${request.url}`)
    })
    serve(moving)
    const order = open()
    expect(await (await order.fetch('/a')).text()).toBe('GET /b')
    expect(await (await order.fetch('/a', { method: 'POST', body: 'x' })).text()).toBe('GET /b')
    expect((await order.fetch('/a', { redirect: 'manual' })).status).toBe(302)
    expect((await order.fetch('/away')).headers.get('location')).toBe('http://elsewhere.example/')
    await expect(order.fetch('/a', { redirect: 'error' })).rejects.toMatchObject({ code: 'request_failed' })
    await expect(order.fetch('/loop')).rejects.toThrow('more than 20 times')
  })
})

describe('pick', () => {
  test('counts load until done, once', async () => {
    serve({ port: 1 }, { port: 2 })
    const order = open()
    const held = order.pick()
    const others = [order.pick(), order.pick()]
    // The second pick went to the idle instance; with both loaded equally the third may go anywhere.
    expect(others[0]?.instance.id).not.toBe(held.instance.id)
    held.done()
    held.done()
    for (const { done } of others) done('failure')
  })

  test('avoids what was tried while another is left', () => {
    serve({ port: 1 }, { port: 2 })
    const order = open({ policy: 'random' })
    const { instance } = order.pick()
    for (let pick = 0; pick < 20; pick++) {
      expect(order.pick({ tried: [instance] }).instance.id).not.toBe(instance.id)
    }
  })

  test('throws while nothing is known, and what it knows when it goes stale', () => {
    const order = open()
    expect(() => order.pick()).toThrow(expect.objectContaining({ code: 'no_instance_available' }))
    serve({ port: 1 })
    resolver.markStale()
    expect(order.pick().instance.id).toBe('order-1')
  })
})

describe('pools', () => {
  test('of instances that left close when their last call is over', async () => {
    let finish = () => {}
    const leaving = await origin((_, response) => {
      response.write('begun ')
      finish = () => response.end('done')
    })
    serve(leaving)
    const order = open()
    const response = await order.fetch('/')
    resolver.set([])
    expect(leaving.connections()).toBe(1)
    finish()
    expect(await response.text()).toBe('begun done')
    await eventually('its connections close', () => leaving.connections() === 0)
  })

  test('close lets calls end, and cuts those that do not', async () => {
    const stuck = await origin((_, response) => response.write('begun '))
    serve(stuck)
    const order = open()
    const response = await order.fetch('/')
    const read = response.text().catch((thrown: unknown) => thrown)
    await order.close(20)
    expect(await read).toBeInstanceOf(Error)
    expect(resolver.subscriptions).toBe(0)
  })
})
