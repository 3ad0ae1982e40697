import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2'
import type { GrpcCheck, Instance } from '@portolan/core'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { grpcProbe } from './grpc.ts'
import { healthRequest, healthStatus } from './grpc-message.ts'
import type { ProbeTarget } from './probe.ts'
import { makeCertificate } from './testing/certificate.ts'
import { serveGrpc } from './testing/grpc-server.ts'
import { look, probeContract } from './testing/probe-contract.ts'
import { freePort, instanceAt, listen, portOf } from './testing/targets.ts'

const plain: GrpcCheck = { type: 'grpc', id: 'grpc', intervalMs: 1000, timeoutMs: 500, rise: 2, service: '' }

function target(
  port: number,
  check: Partial<GrpcCheck> = {},
  more: Partial<Instance> = {},
  tls = false,
): ProbeTarget<GrpcCheck> {
  const ports = [portOf(1), portOf(port, { name: 'rpc', protocol: 'grpc', tls })]
  return { instance: instanceAt(ports, more), check: { ...plain, ...check }, fresh: false }
}

probeContract('grpc', async () => {
  const server = await serveGrpc({ '': 'SERVING', slow: 'hang', ill: 'NOT_SERVING' })
  return {
    probe: grpcProbe(),
    crowd: 300,
    // Of 90 rounds the first 13 grow, by 30 kB each, and all others together by 40.
    warmUp: 14,
    passing: target(server.port),
    proves: 'spoke',
    silent: target(server.port, { service: 'slow', id: 'slow' }),
    failing: target(server.port, { service: 'ill', id: 'ill' }),
    refused: target(await freePort(), {}, { id: 'order-2' }),
    odd: [
      [target(server.port, { port: 'admin' }), /no port named admin/],
      [target(server.port, {}, { addresses: [] }), /no address/],
    ],
    async close() {
      server.close()
    },
  }
})

const lost: string[] = []
const probe = grpcProbe({ lost: ({ id }) => lost.push(id) })
const ends: (() => unknown)[] = [() => probe.close()]
afterEach(async () => {
  for (const end of ends.splice(1)) await end()
})
async function served(...args: Parameters<typeof serveGrpc>) {
  const server = await serveGrpc(...args)
  ends.push(() => server.close())
  return server
}

describe('the gRPC probe', () => {
  it('passes SERVING alone, and says what to do about the rest', async () => {
    const { port, calls } = await served({
      '': 'SERVING',
      shop: 'NOT_SERVING',
      new: 'UNKNOWN',
      cart: 'SERVING',
    })
    const found = (service: string) => look(probe, target(port, { service, id: `c-${service}` }))
    expect(await found('')).toMatchObject({ status: 'passing', presence: 'spoke' })
    expect(await found('cart')).toMatchObject({ status: 'passing' })
    expect(await found('shop')).toMatchObject({
      status: 'critical',
      presence: 'spoke',
      reason: 'service "shop" is NOT_SERVING',
    })
    expect(await found('new')).toMatchObject({ status: 'critical', reason: 'service "new" is UNKNOWN' })
    expect(await found('gone')).toMatchObject({
      status: 'critical',
      presence: 'spoke',
      reason:
        'its health service does not know service "gone" (NOT_FOUND): set its status there, or leave service out of the check: unknown service, 100 % sure',
    })
    expect(calls).toEqual(['', 'cart', 'shop', 'new', 'gone'])
    const without = await served({}, { implemented: false })
    expect(await look(probe, target(without.port, { id: 'without' }))).toMatchObject({
      status: 'critical',
      presence: 'spoke',
      reason: expect.stringMatching(
        /^it does not implement grpc\.health\.v1\.Health \(UNIMPLEMENTED\): add it/,
      ),
    })
  })

  it('verifies certificates unless told otherwise', async () => {
    const tls = makeCertificate()
    const { port } = await served({ '': 'SERVING' }, { tls })
    const host = { host: 'order.test', id: 'secure' }
    expect(await look(probe, target(port, {}, host, true))).toMatchObject({
      reason: 'TLS: its certificate is self-signed: name it in NODE_EXTRA_CA_CERTS, or say verify: false',
    })
    expect(await look(probe, target(port, { verify: false }, host, true))).toMatchObject({
      status: 'passing',
    })
    const trusting = grpcProbe({ ca: tls.cert })
    expect(await look(trusting, target(port, { tls: true }, host))).toMatchObject({ status: 'passing' })
    await trusting.close()
  })

  it('uses its connection again, and replaces one that went away', async () => {
    const sessions = new Set<{ destroy(): void; goaway(): void }>()
    let opened = 0
    const server = createHttp2Server()
    server.on('session', session => {
      opened++
      sessions.add(session)
      session.on('close', () => sessions.delete(session))
    })
    server.on('stream', stream => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
      stream.end(Buffer.from([0, 0, 0, 0, 2, 8, 1]))
    })
    const { port, close } = await listen(() => {}, { server })
    ends.push(close)
    const mine = target(port, {}, { id: 'again' })
    for (let i = 0; i < 3; i++) expect(await look(probe, mine)).toMatchObject({ status: 'passing' })
    expect(opened).toBe(1)
    for (const session of sessions) session.goaway()
    await expect.poll(() => lost).toContain('again')
    expect(await look(probe, mine)).toMatchObject({ status: 'passing' })
    expect(opened).toBe(2)
    for (const session of sessions) session.destroy()
    expect(await look(probe, mine)).toMatchObject({ status: 'passing' })
    expect(opened).toBe(3)
    expect(await look(probe, { ...mine, fresh: true })).toMatchObject({ status: 'passing' })
    expect(opened).toBe(4)
  })

  it('makes a finding of every other answer', async () => {
    const web = await listen(() => {}, { server: createHttpServer((_, response) => response.end('hello')) })
    ends.push(web.close)
    expect(await look(probe, target(web.port, { id: 'web' }))).toMatchObject({
      status: 'critical',
      presence: 'answered',
      reason: 'it does not speak HTTP/2: is that a gRPC port?',
    })
    const shut = await listen(socket => socket.destroy())
    ends.push(shut.close)
    const gone = await look(probe, target(shut.port, { id: 'shut' }))
    expect(gone).toMatchObject({ status: 'critical', presence: 'answered' })
    expect(gone.reason).toMatch(/connection without an answer/)

    let answer: (stream: ServerHttp2Stream) => void = () => {}
    const server = createHttp2Server()
    server.on('stream', (stream: ServerHttp2Stream) => {
      stream.on('error', () => undefined)
      answer(stream)
    })
    const { port, close } = await listen(() => {}, { server })
    ends.push(close)
    const found = async (serve: typeof answer) => {
      answer = serve
      return (await look(probe, { ...target(port, { id: 'odd' }), fresh: true })).reason
    }
    expect(await found(stream => stream.respond({ ':status': 404 }, { endStream: true }))).toMatch(/HTTP 404/)
    expect(
      await found(stream => {
        stream.respond({ ':status': 200, 'content-type': 'text/html' })
        stream.end('x')
      }),
    ).toMatch(/text\/html/)
    const grpc = { ':status': 200, 'content-type': 'application/grpc' }
    expect(await found(stream => stream.respond(grpc, { endStream: true }))).toMatch(/without a grpc-status/)
    expect(
      await found(stream => stream.respond({ ...grpc, 'grpc-status': '0' }, { endStream: true })),
    ).toMatch(/no HealthCheckResponse/)
    expect(
      await found(stream => stream.respond({ ...grpc, 'grpc-status': '16' }, { endStream: true })),
    ).toMatch(/UNAUTHENTICATED/)
    expect(
      await found(stream =>
        stream.respond({ ...grpc, 'grpc-status': '13', 'grpc-message': 'a%20b%' }, { endStream: true }),
      ),
    ).toBe('it answered INTERNAL: a%20b%')
    expect(await found(stream => stream.close(8))).toMatch(/broke the call off \(HTTP\/2 error 8\)/)
    expect(
      await found(stream => {
        stream.respond(grpc)
        stream.end(Buffer.alloc(100_000))
      }),
    ).toMatch(/more than any health answer/)
  })
})

describe('the messages of the health service', () => {
  it('are framed as gRPC has them', () => {
    expect([...healthRequest('')]).toEqual([0, 0, 0, 0, 0])
    expect([...healthRequest('ab')]).toEqual([0, 0, 0, 0, 4, 10, 2, 97, 98])
    expect(healthRequest('x'.repeat(300)).length).toBe(5 + 3 + 300)
    expect(healthStatus(Buffer.from([0, 0, 0, 0, 0]))).toBe(0)
    expect(healthStatus(Buffer.from([0, 0, 0, 0, 2, 8, 1]))).toBe(1)
    expect(healthStatus(Buffer.from([0, 0, 0, 0, 5, 0x12, 1, 65, 8, 2]))).toBe(2)
  })

  it.each([
    [[]],
    [[0, 0, 0, 0]],
    [[1, 0, 0, 0, 0]],
    [[0, 0, 0, 0, 2, 8]],
    [[0, 0, 0, 0, 1, 8]],
    [[0, 0, 0, 0, 2, 0x12, 9]],
  ])('refuses %j', bytes => expect(healthStatus(Buffer.from(bytes))).toBeUndefined())

  it('reads any bytes without an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), bytes => {
        const framed = Buffer.concat([Buffer.from([0, 0, 0, 0, bytes.length]), bytes])
        expect(['number', 'undefined']).toContain(typeof healthStatus(framed))
      }),
    )
  })
})
