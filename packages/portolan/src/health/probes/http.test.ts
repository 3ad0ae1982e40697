import { createServer as createHttpServer } from 'node:http'
import type { Socket } from 'node:net'
import type { HttpCheck, Instance } from '@portolan/core'
import { afterEach, describe, expect, it } from 'vitest'
import { httpProbe } from './http.ts'
import { maxBody } from './http-answer.ts'
import type { ProbeTarget } from './probe.ts'
import { look, probeContract } from './testing/probe-contract.ts'
import { freePort, instanceAt, type Listening, listen, portOf } from './testing/targets.ts'

const plain: HttpCheck = {
  type: 'http',
  id: 'http',
  intervalMs: 1000,
  timeoutMs: 500,
  rise: 2,
  method: 'GET',
  path: '/health',
  headers: {},
  statuses: [[200, 299]],
}

function target(
  port: Parameters<typeof instanceAt>[0],
  check: Partial<HttpCheck> = {},
  more: Partial<Instance> = {},
): ProbeTarget<HttpCheck> {
  return { instance: instanceAt(port, more), check: { ...plain, ...check }, fresh: false }
}

const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
/** Answers every read with the same bytes. */
const answers = (text: string) => (socket: Socket) =>
  void socket.on('data', () => socket.write(text, 'latin1'))

const open: Listening[] = []
async function opened(serve: (socket: Socket) => void, host?: string): Promise<Listening> {
  const listening = await listen(serve, { host })
  open.push(listening)
  return listening
}

const lost: string[] = []
let probe = httpProbe({ lost: ({ id }, { path }) => lost.push(`${id} ${path}`) })
afterEach(async () => {
  await probe.close()
  probe = httpProbe({ lost: ({ id }, { path }) => lost.push(`${id} ${path}`) })
  lost.length = 0
  await Promise.all(open.splice(0).map(each => each.close()))
})

/** What one probe finds whose server does this with the connection. */
async function found(serve: (socket: Socket) => void, check: Partial<HttpCheck> = {}) {
  const { port } = await opened(serve)
  return look(probe, target(port, check))
}

probeContract('http', async () => {
  const server = await listen(answers(answer))
  const mute = await listen(socket => socket.resume())
  const ill = await listen(answers('HTTP/1.1 503 Unavailable\r\nContent-Length: 0\r\n\r\n'))
  return {
    probe: httpProbe(),
    passing: target(server.port),
    proves: 'spoke',
    silent: target(mute.port, {}, { id: 'order-2' }),
    failing: target(ill.port, {}, { id: 'order-3' }),
    refused: target(await freePort(), {}, { id: 'order-4' }),
    odd: [
      [target([portOf(53, { protocol: 'udp' })]), /no port but UDP/],
      [target(server.port, { port: 'admin' }), /no port named admin/],
      [target(server.port, {}, { addresses: [] }), /no address/],
      [target(server.port, { path: '/a b' }), /path/],
      [target(server.port, { path: '/\r\nHost: x' }), /path/],
      [target(server.port, { headers: { 'a\r\nb': 'c' } }), /header/],
      [target(server.port, { headers: { A: 'b\r\nC: d' } }), /header A/],
      [target(server.port, { headers: { 'Content-Length': '3' } }), /header Content-Length/],
      [target(server.port, { method: 'GET /x' }), /method/],
    ],
    async close() {
      await Promise.all([server.close(), mute.close(), ill.close()])
    },
  }
})

describe('the HTTP probe', () => {
  it('asks as it should', async () => {
    let request = ''
    const { port } = await opened(socket =>
      socket.on('data', data => {
        request = String(data)
        socket.write(answer)
      }),
    )
    await look(probe, target(port))
    expect(request).toBe(
      `GET /health HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUser-Agent: portolan-health\r\nAccept: */*\r\n\r\n`,
    )
    const check = { path: '/x?y', method: 'POST', headers: { host: 'shop.test', Authorization: 'Bearer x' } }
    await look(probe, target(port, { id: 'post', ...check }, { host: 'order.test' }))
    expect(request).toMatch(/^POST \/x\?y HTTP\/1\.1\r\nhost: shop\.test\r\n/)
    expect(request).toContain('\r\nContent-Length: 0\r\nAuthorization: Bearer x\r\n\r\n')
    await look(probe, target(port, { id: 'named' }, { host: 'order.test' }))
    expect(request).toContain(`\r\nHost: order.test:${port}\r\n`)
  })

  it('is at ease with the server of Node, HEAD and chunks included', async () => {
    const server = createHttpServer((request, response) => {
      response.write(request.method ?? '')
      response.end('!')
    })
    const listening = await listen(() => {}, { server })
    open.push(listening)
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'POST']) {
      const body = method === 'HEAD' ? {} : { body: `${method}!` }
      for (let i = 0; i < 3; i++) {
        expect(await look(probe, target(listening.port, { id: method, method, ...body }))).toMatchObject({
          reason: '',
        })
      }
    }
    expect(listening.accepted()).toBe(4)
  })

  it('uses one connection per instance and check again, and a new one when it must be fresh', async () => {
    const { port, accepted, open: connections } = await opened(answers(answer))
    for (let i = 0; i < 5; i++) await look(probe, target(port))
    expect(accepted()).toBe(1)
    for (let i = 0; i < 3; i++) await look(probe, { ...target(port), fresh: true })
    expect(accepted()).toBe(4)
    await expect.poll(() => connections.size).toBe(1)
    await Promise.all(Array.from({ length: 4 }, () => look(probe, target(port))))
    expect(accepted()).toBe(7)
    await expect.poll(() => connections.size).toBe(1)
    await look(probe, target(port, { id: 'other' }))
    await look(probe, target(port, {}, { id: 'order-2' }))
    expect(accepted()).toBe(9)
    await look(probe, target(port, {}, { incarnation: 2 }))
    expect(accepted()).toBe(10)
    await expect.poll(() => connections.size).toBe(3)
  })

  it('replaces a kept connection that was closed meanwhile, without blame, and says that it was lost', async () => {
    const { port, accepted, open: connections } = await opened(answers(answer))
    await look(probe, target(port))
    for (const socket of connections) socket.resetAndDestroy()
    await expect.poll(() => lost).toEqual(['order-1 /health'])
    expect(await look(probe, target(port))).toMatchObject({ status: 'passing' })
    expect(accepted()).toBe(2)
  })

  it('replaces a kept connection that closes as the next probe comes, once', async () => {
    let requests = 0
    const { port, accepted } = await opened(socket =>
      socket.on('data', () => {
        requests++
        // Every second request of a connection finds it closing.
        if (requests % 2 === 1) socket.write(answer)
        else if (requests % 4 === 2) socket.destroy()
        else socket.resetAndDestroy()
      }),
    )
    await look(probe, target(port))
    expect(await look(probe, target(port))).toMatchObject({ status: 'passing' })
    expect(accepted()).toBe(2)
    requests++
    expect(await look(probe, target(port))).toMatchObject({ status: 'passing' })
    expect(accepted()).toBe(2)
  })

  it('blames who closes a new connection without an answer, and who is gone after a kept one', async () => {
    expect(await found(socket => socket.on('data', () => socket.destroy()))).toMatchObject({
      status: 'critical',
      presence: 'answered',
      reason: 'GET /health answered nothing: it closed the connection',
    })
    expect(await found(socket => socket.on('data', () => socket.resetAndDestroy()))).toMatchObject({
      presence: 'answered',
      reason: 'GET /health: it reset the connection',
    })
    const server = await listen(answers(answer))
    const gone = target(server.port, {}, { id: 'gone' })
    await look(probe, gone)
    await server.close()
    expect(await look(probe, gone)).toMatchObject({ presence: 'refused' })
  })

  it('takes no byte that came unasked for an answer', async () => {
    const { port, open: connections } = await opened(answers(answer))
    await look(probe, target(port))
    for (const socket of connections)
      socket.write('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n')
    await expect.poll(() => lost.length).toBe(1)
    expect(await look(probe, target(port))).toMatchObject({ status: 'passing' })
  })

  it('judges by status, and follows nothing', async () => {
    const status = (code: number, more = '') =>
      answers(`HTTP/1.1 ${code} X\r\n${more}Content-Length: 4\r\n\r\nnope`)
    expect(await found(status(503))).toMatchObject({
      status: 'critical',
      presence: 'spoke',
      reason: 'GET /health answered 503',
      output: 'nope',
    })
    expect(
      await found(status(404), {
        statuses: [
          [200, 204],
          [404, 404],
        ],
        id: 'a',
      }),
    ).toMatchObject({ status: 'passing' })
    const elsewhere = 'Location: http://169.254.169.254/latest\r\n'
    expect(await found(status(302, elsewhere), { id: 'b' })).toMatchObject({
      status: 'critical',
      reason: 'GET /health answered 302, a redirect to http://169.254.169.254/latest (not followed)',
    })
    expect(await found(status(302, elsewhere), { statuses: [[200, 399]], id: 'c' })).toMatchObject({
      status: 'passing',
    })
    expect((await found(status(301, `Location: /${'x'.repeat(999)}\r\n`), { id: 'd' })).reason).toHaveLength(
      256,
    )
  })

  it('looks for the expected text in the first 64 KiB of the body', async () => {
    expect(await found(answers(answer), { body: 'ok' })).toMatchObject({ status: 'passing' })
    expect(await found(answers(answer), { body: 'ready', id: 'a' })).toMatchObject({
      status: 'critical',
      reason: 'GET /health answered 200 without "ready" in its body',
      output: 'ok',
    })
    const late = `HTTP/1.1 200 OK\r\n\r\n${'a'.repeat(maxBody)}ready`
    expect(await found(answers(late), { body: 'ready', id: 'b' })).toMatchObject({
      status: 'critical',
      reason: 'GET /health answered 200 without "ready" in the first 64 KiB of its body',
    })
    const umlaut = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\ngrün!').toString('latin1')
    expect(await found(answers(umlaut), { body: 'grün', id: 'c' })).toMatchObject({ status: 'passing' })
  })

  it('does not wait for the end of what streams for ever, and closes', async () => {
    const endless = (socket: Socket) => {
      socket.on('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
        const chunk = `4000\r\n${'a'.repeat(0x4000)}\r\n`
        const more = (): void => {
          while (!socket.destroyed && socket.write(chunk));
        }
        socket.on('drain', more)
        more()
      })
    }
    expect(await found(endless)).toMatchObject({ status: 'passing' })
    expect(await found(endless, { body: 'b', id: 'b' })).toMatchObject({ status: 'critical' })
    for (const { open: connections } of open) await expect.poll(() => connections.size).toBe(0)
  })

  it('says what it waits for', async () => {
    const half = await opened(answers('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok'))
    const mute = await opened(socket => socket.resume())
    const slow = probe.start(target(half.port, { id: 'half' }), () => {})
    const silent = probe.start(target(mute.port, { id: 'mute' }), () => {})
    expect(slow.waitingFor?.()).toBe('no connection')
    await expect.poll(() => slow.waitingFor?.()).toBe('GET /health answered 200, but its body did not end')
    await expect.poll(() => silent.waitingFor?.()).toBe('connected, no answer to GET /health')
    slow.cancel()
    silent.cancel()
    await expect.poll(() => half.open.size + mute.open.size).toBe(0)
  })

  it('warns of a server that says more than it announced, and does not use that connection again', async () => {
    const server = await opened(answers(`${answer}!`))
    expect(await look(probe, target(server.port))).toMatchObject({
      status: 'warning',
      reason: 'GET /health answered 200, and then 1 bytes more than it announced',
    })
    await expect.poll(() => server.open.size).toBe(0)
  })

  it.each([
    ['garbage', 'HELO\r\n', /not HTTP: "HELO"/],
    ['a head without end', `HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(4000)}`, /head that has not ended/],
    ['half an answer', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nab', /within the body/],
    ['escapes', '\x1b[31mred\r\n', /"\\u001b\[31mred"/],
  ])('finds %s and lets go', async (_, text, words) => {
    const server = await opened(socket => socket.on('data', () => socket.end(text)))
    const finding = await look(probe, target(server.port))
    expect(finding).toMatchObject({ status: 'critical', presence: 'answered' })
    expect(finding.reason).toMatch(words)
    await expect.poll(() => server.open.size).toBe(0)
  })

  it('asks at another address when one fails or is silent', async () => {
    const mute = await opened(socket => socket.resume(), '127.0.0.3')
    const well = await listen(answers(answer), { host: '127.0.0.2', port: mute.port })
    open.push(well)
    const addresses = ['127.0.0.4', '127.0.0.3', '127.0.0.2']
    expect(await look(probe, target(mute.port, {}, { addresses }))).toMatchObject({ status: 'passing' })
    await expect.poll(() => mute.open.size).toBe(0)
    expect(well.open.size).toBe(1)
    expect(await look(probe, target(mute.port, {}, { addresses }))).toMatchObject({ status: 'passing' })
    expect(well.accepted()).toBe(1)
  })
})
