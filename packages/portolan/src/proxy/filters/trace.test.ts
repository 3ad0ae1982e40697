import type { RouteTable, TracingSettings } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import { fixture } from '../testing/fixture.ts'
import { answering, deadPort, hello } from '../testing/harness.ts'
import { otlpReceiver } from '../testing/otlp-receiver.ts'

const { opened, gatewayFor, rawUpstream, clientOf } = fixture()

const traceId = '0af7651916cd43dd8448eb211c80319c'
const parentId = 'b7ad6b7169203331'
const parent = `traceparent: 00-${traceId}-${parentId}-01\r\n`
const get = (fields = '') => `GET /a/b?secret HTTP/1.1\r\nHost: x\r\n${fields}\r\n`

/** A gateway that takes part in traces, before these instances, one of them one that answers. */
async function tracing(
  settings: Partial<TracingSettings> = {},
  others: readonly number[] = [],
  response = hello,
) {
  const receiver = await otlpReceiver(opened)
  const upstream = await rawUpstream(answering(response))
  const table: RouteTable = {
    routes: [{ match: { path: '/a' }, service: 'order' }],
    exposed: [],
    tracing: { endpoint: receiver.url, sample: 1, serviceName: 'edge', ...settings },
    policies: { order: 'round-robin' },
  }
  const { gateway } = await gatewayFor([...others, upstream.port], {}, table)
  const client = clientOf(gateway.port)
  return {
    receiver,
    upstream,
    client,
    /** What the instance was told last. */
    told: (name: string) =>
      [...upstream.received().matchAll(new RegExp(`^${name}: (.*)\r$`, 'gm'))].at(-1)?.[1],
    async spans() {
      client.socket.destroy()
      await gateway.close()
      expect(receiver.mistakes).toEqual([])
      return receiver.spans
    },
  }
}

describe('traces', () => {
  it('are begun where there is none, with a span of the request and one of its try', async () => {
    const { client, told, spans } = await tracing()
    await client.send(get()).until('hello')
    const [, trace, tryId, flags] =
      /^00-([0-9a-f]{32})-([0-9a-f]{16})-(\d\d)$/.exec(told('traceparent') ?? '') ?? []
    expect(flags).toBe('01')
    const [attempt, request, ...more] = await spans()
    expect(more).toEqual([])
    expect(attempt).toMatchObject({
      traceId: trace,
      spanId: tryId,
      parentSpanId: request?.spanId,
      kind: 3,
      name: 'GET /a',
    })
    expect(request).toMatchObject({
      traceId: trace,
      kind: 2,
      name: 'GET /a',
      status: {},
      resource: { 'service.name': 'edge' },
      attributes: {
        'http.request.method': 'GET',
        'http.response.status_code': 200,
        'http.route': '/a',
        'url.path': '/a/b',
        'portolan.service': 'order',
        'portolan.tries': 1,
      },
    })
    expect(request).not.toHaveProperty('parentSpanId')
    expect(attempt?.attributes).toMatchObject({
      'portolan.instance': 'order-1',
      'portolan.pick.by': 'policy',
    })
    const now = BigInt(Date.now()) * 1_000_000n
    expect(now - BigInt(request?.startTimeUnixNano ?? 0)).toBeLessThan(60_000_000_000n)
  })

  it('are continued, state and all, and the instance is told a parent of our own', async () => {
    const { client, told, spans, upstream } = await tracing({ sample: 0 })
    await client.send(get(`${parent}tracestate: congo=1\r\ntracestate: rojo=2\r\n`)).until('hello')
    const [attempt, request] = await spans()
    expect(request).toMatchObject({
      traceId,
      parentSpanId: parentId,
      traceState: 'congo=1,rojo=2',
      flags: 0x301,
    })
    expect(attempt?.parentSpanId).toBe(request?.spanId)
    expect(told('traceparent')).toBe(`00-${traceId}-${attempt?.spanId}-01`)
    expect(upstream.received().match(/^traceparent/gim)).toHaveLength(1)
    expect(
      upstream
        .received()
        .match(/^tracestate: .*$/gim)
        ?.map(line => line.trim()),
    ).toEqual(['tracestate: congo=1', 'tracestate: rojo=2'])
  })

  it('that are not recorded pass as they are', async () => {
    const { client, told, spans } = await tracing()
    const fields = `traceparent: 00-${traceId}-${parentId}-00\r\ntracestate: congo=1\r\n`
    await client.send(get(fields)).until('hello')
    expect(told('traceparent')).toBe(`00-${traceId}-${parentId}-00`)
    expect(told('tracestate')).toBe('congo=1')
    expect(await spans()).toEqual([])
  })

  it('that are not drawn say so to the instance', async () => {
    const { client, told, spans } = await tracing({ sample: 0 })
    await client.send(get()).until('hello')
    expect(told('traceparent')).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
    expect(await spans()).toEqual([])
  })

  it.each([
    ['two parents', `${parent}${parent}tracestate: congo=1\r\n`],
    ['a parent that is none', `traceparent: 00-${traceId}-${parentId}-1\r\ntracestate: congo=1\r\n`],
    ['a state that is none', `${parent}tracestate: congo\r\n`],
  ])('lose what cannot be read: %s', async (what, fields) => {
    const { client, upstream, spans } = await tracing()
    await client.send(get(fields)).until('hello')
    expect(upstream.received()).not.toMatch(/tracestate/i)
    const [, request] = await spans()
    expect(request?.traceId === traceId).toBe(what.startsWith('a state'))
  })

  it('show each try, and each instance is told of its own', async () => {
    const { client, told, spans } = await tracing({}, [await deadPort()])
    for (let count = 1; count <= 2; count++) {
      client.received = ''
      await client.send(get(parent)).until('hello')
    }
    const all = await spans()
    const request = all.find(({ attributes }) => attributes['portolan.tries'] === 2)
    const tries = all.filter(({ parentSpanId }) => parentSpanId === request?.spanId)
    expect(tries.map(({ attributes, status }) => [attributes['error.type'], status.code])).toEqual([
      ['refused', 2],
      [undefined, undefined],
    ])
    expect(tries[1]?.attributes['http.request.resend_count']).toBe(1)
    const answered = all.filter(
      ({ kind, attributes }) => kind === 3 && attributes['http.response.status_code'] === 200,
    )
    expect(answered.map(({ spanId }) => spanId)).toContain(told('traceparent')?.split('-')[2])
  })

  it('tell errors: of instances, of the gateway, and clients that left', async () => {
    const { client, spans } = await tracing({}, [], 'HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n')
    await client.send(get()).until('500')
    const [attempt, request] = await spans()
    expect([attempt?.status.code, request?.status.code]).toEqual([2, 2])
    expect(request?.attributes['error.type']).toBe('500')
    const silent = await tracing({}, [], '')
    silent.client.send(get())
    await silent.client.until(() => silent.upstream.received() !== '')
    const left = (await silent.spans()).map(({ attributes, status }) => [
      attributes['error.type'],
      status.code,
    ])
    expect(left).toEqual([
      ['cancelled', undefined],
      ['cancelled', undefined],
    ])
  })

  it('are left alone where no receiver is configured', async () => {
    const { gateway } = await gatewayFor([])
    const upstream = await rawUpstream(answering(hello))
    await gateway.close()
    const plain = await gatewayFor([upstream.port])
    await clientOf(plain.gateway.port).send(get('traceparent: nonsense\r\n')).until('hello')
    expect(upstream.received()).toContain('traceparent: nonsense\r\n')
  })
})
