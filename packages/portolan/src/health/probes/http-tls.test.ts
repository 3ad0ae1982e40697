import { createServer, type TLSSocket } from 'node:tls'
import type { HttpCheck, Instance } from '@portolan/core'
import { afterAll, describe, expect, it } from 'vitest'
import { httpProbe } from './http.ts'
import type { ProbeTarget } from './probe.ts'
import { makeCertificate } from './testing/certificate.ts'
import { look, probeContract } from './testing/probe-contract.ts'
import { freePort, instanceAt, listen, portOf } from './testing/targets.ts'

const certificate = makeCertificate()

const check: HttpCheck = {
  type: 'http',
  id: 'https',
  intervalMs: 1000,
  timeoutMs: 500,
  rise: 2,
  method: 'GET',
  path: '/',
  headers: {},
  statuses: [[200, 299]],
  verify: false,
}

function target(
  port: number,
  more: Partial<HttpCheck> = {},
  instance: Partial<Instance> = {},
): ProbeTarget<HttpCheck> {
  const ports = [portOf(port, { tls: true })]
  return { instance: instanceAt(ports, instance), check: { ...check, ...more }, fresh: false }
}

/** Answers with the name that was asked for. */
async function serveTls() {
  const server = createServer({ ...certificate, ALPNProtocols: ['h2', 'http/1.1'] }, (socket: TLSSocket) => {
    socket.on('error', () => {})
    socket.on('data', () => {
      const { servername } = socket as TLSSocket & { readonly servername: string | false }
      const name = `${servername} ${socket.alpnProtocol}`
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${name.length}\r\n\r\n${name}`)
    })
  })
  // Handshakes that are broken off.
  server.on('tlsClientError', () => {})
  return listen(() => {}, { server })
}

probeContract('http over tls', async () => {
  const server = await serveTls()
  const mute = await listen(socket => socket.resume())
  return {
    probe: httpProbe(),
    crowd: 200,
    warmUp: 6,
    passing: target(server.port),
    proves: 'spoke',
    silent: target(mute.port, {}, { id: 'order-2' }),
    failing: target(server.port, { verify: true }, { id: 'order-3' }),
    refused: target(await freePort(), {}, { id: 'order-4' }),
    odd: [],
    async close() {
      await Promise.all([server.close(), mute.close()])
    },
  }
})

describe('the HTTP probe over TLS', async () => {
  const server = await serveTls()
  const probe = httpProbe()
  const trusting = httpProbe({ ca: certificate.cert })
  afterAll(async () => {
    await probe.close()
    await trusting.close()
    await server.close()
  })

  it('verifies the certificate unless told otherwise', async () => {
    const { verify: _, ...strict } = check
    const verified = { ...target(server.port), check: strict }
    expect(await look(probe, verified)).toMatchObject({
      status: 'critical',
      presence: 'answered',
      reason: 'TLS: its certificate is self-signed: name it in NODE_EXTRA_CA_CERTS, or say verify: false',
    })
    expect(await look(trusting, verified)).toMatchObject({ status: 'passing' })
    const stranger = {
      ...verified,
      instance: instanceAt([portOf(server.port, { tls: true })], { host: 'other.test' }),
    }
    expect(await look(trusting, stranger)).toMatchObject({
      reason: expect.stringMatching(/is not for its host/),
    })
    expect(await look(probe, target(server.port, { verify: false }))).toMatchObject({ status: 'passing' })
  })

  it('names the host of the instance, and speaks HTTP/1.1', async () => {
    const host = { host: 'order.test' }
    expect(await look(probe, target(server.port, { body: 'order.test http/1.1' }, host))).toMatchObject({
      reason: '',
    })
    expect(await look(trusting, target(server.port, { verify: true }, host))).toMatchObject({ reason: '' })
    const address = { host: '127.0.0.1', id: 'order-2' }
    expect(await look(probe, target(server.port, { body: 'false http/1.1' }, address))).toMatchObject({
      reason: '',
    })
  })

  it('goes by the check rather than by the port', async () => {
    const ports = [portOf(server.port)]
    const clear = { ...target(server.port), instance: instanceAt(ports, { id: 'clear' }) }
    expect((await look(probe, clear)).status).toBe('critical')
    const secured = { ...clear, check: { ...check, tls: true } }
    expect(await look(probe, secured)).toMatchObject({ status: 'passing' })
  })

  it('says that a server speaks no TLS', async () => {
    const clear = await listen(socket => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    const finding = await look(probe, target(clear.port, {}, { id: 'plain' }))
    expect(finding).toMatchObject({ status: 'critical', presence: 'answered' })
    expect(finding.reason).toBe('TLS: it does not speak TLS: say tls: false, or name the port that does')
    await clear.close()
  })

  it('waits for TLS in words', async () => {
    const mute = await listen(socket => socket.resume())
    const running = probe.start(target(mute.port, {}, { id: 'mute' }), () => {})
    expect(running.waitingFor?.()).toBe('no TLS connection')
    running.cancel()
    await mute.close()
  })
})
