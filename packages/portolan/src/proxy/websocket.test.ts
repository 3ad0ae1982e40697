import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { fixture } from './testing/fixture.ts'
import { eventually, type TestGateway } from './testing/harness.ts'

const { opened, gatewayFor, httpUpstream } = fixture()

interface WebSocketUpstream {
  readonly port: number
  readonly sockets: Set<WebSocket>
  kill(): void
}

/** A server that sends back what it gets. */
async function echo(): Promise<WebSocketUpstream> {
  const server = createServer((_request, response) => response.end('plain'))
  const webSockets = new WebSocketServer({ server, handleProtocols: () => 'chat', maxPayload: 32 << 20 })
  const sockets = new Set<WebSocket>()
  webSockets.on('connection', socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const kill = () => {
    webSockets.close()
    server.close()
    // As the kernel does for a process that is gone.
    for (const socket of sockets) socket.terminate()
    server.closeAllConnections()
  }
  opened.add(kill)
  return { port: (server.address() as AddressInfo).port, sockets, kill }
}

async function connected({ gateway }: TestGateway): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/chat?room=1`, ['chat'])
  opened.add(() => socket.terminate())
  await once(socket, 'open')
  return socket
}

async function answerTo(socket: WebSocket, data: string | Buffer): Promise<Buffer | string> {
  const answer = once(socket, 'message')
  socket.send(data)
  const [message, isBinary] = (await answer) as [Buffer, boolean]
  return isBinary ? message : message.toString()
}

describe('websockets through the gateway', () => {
  it('carry text, binary, empty and large messages, and pings', async () => {
    const socket = await connected(await gatewayFor([(await echo()).port]))
    expect(socket.protocol).toBe('chat')
    const large = randomBytes(10 << 20)
    for (const message of ['', 'grüße', Buffer.alloc(0), Buffer.from([0, 255]), 'x'.repeat(70_000), large]) {
      const answer = await answerTo(socket, message)
      expect(typeof answer === 'string' ? answer : Buffer.compare(answer, Buffer.from(message))).toEqual(
        typeof message === 'string' ? message : 0,
      )
    }
    const pong = once(socket, 'pong')
    socket.ping('are you there')
    expect(String((await pong)[0])).toBe('are you there')
  })

  it('keep their order when both sides send all the time', async () => {
    const socket = await connected(await gatewayFor([(await echo()).port]))
    const got: string[] = []
    socket.on('message', data => got.push(String(data)))
    const sent = Array.from({ length: 5000 }, (_, i) => `${i}:${'.'.repeat(i % 300)}`)
    for (const message of sent) socket.send(message)
    await eventually(() => got.length === sent.length)
    expect(got).toEqual(sent)
  })

  it('close with the code that was said, whoever says it', async () => {
    const upstream = await echo()
    const test = await gatewayFor([upstream.port])
    const first = await connected(test)
    const closed = once(first, 'close')
    for (const socket of upstream.sockets) socket.close(4001, 'enough')
    expect(String((await closed)[0])).toBe('4001')
    const second = await connected(test)
    const [atServer] = upstream.sockets
    const seen = atServer === undefined ? undefined : once(atServer, 'close')
    second.close(4002)
    expect(String((await seen)?.[0])).toBe('4002')
    await eventually(() => test.gateway.stats.of('order').tunnels === 0)
  })

  it('end at once with the instance that is killed, and the next one goes elsewhere', async () => {
    const upstreams = [await echo(), await echo()]
    const test = await gatewayFor(upstreams.map(({ port }) => port))
    const sockets = await Promise.all(Array.from({ length: 6 }, () => connected(test)))
    const dying = upstreams.find(({ sockets: held }) => held.size > 0)
    const lost = dying?.sockets.size ?? 0
    let closed = 0
    for (const socket of sockets) socket.on('close', () => closed++)
    dying?.kill()
    await eventually(() => closed === lost)
    expect(lost).toBe(3)
    const next = await connected(test)
    expect(await answerTo(next, 'hello')).toBe('hello')
    expect(test.gateway.stats.of('order').tunnels).toBe(6 - lost + 1)
  })

  it('are told to the instance when the client is gone', async () => {
    const upstream = await echo()
    const socket = await connected(await gatewayFor([upstream.port]))
    const [atServer] = upstream.sockets
    const seen = atServer === undefined ? undefined : once(atServer, 'close')
    socket.terminate()
    expect(String((await seen)?.[0])).toBe('1006')
  })

  it('are spread over instances by how many each one holds', async () => {
    const upstreams = [await echo(), await echo(), await echo()]
    const test = await gatewayFor(upstreams.map(({ port }) => port))
    for (let i = 0; i < 60; i++) await connected(test)
    for (const { sockets } of upstreams) expect(Math.abs(sockets.size - 20)).toBeLessThanOrEqual(4)
  })

  it('leave ordinary requests to the same instances alone', async () => {
    const upstream = await echo()
    const test = await gatewayFor([upstream.port])
    const socket = await connected(test)
    const response = await fetch(`http://127.0.0.1:${test.gateway.port}/`)
    expect(await response.text()).toBe('plain')
    expect(await answerTo(socket, 'still here')).toBe('still here')
  })
})

describe('server-sent events through the gateway', () => {
  it('arrive one by one, each when it is sent, and end with the client', async () => {
    let send: (text: string) => void = () => {}
    let gone = false
    const port = await httpUpstream((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(': welcome\n\n')
      send = text => void response.write(text)
      response.on('close', () => {
        gone = true
      })
    })
    const { gateway } = await gatewayFor([port], { responseMs: 100 })
    const call = request({ port: gateway.port, path: '/events' })
    opened.add(() => call.destroy())
    call.end()
    const [response] = await once(call, 'response')
    let received = ''
    response.setEncoding('utf8').on('data', (text: string) => {
      received += text
    })
    response.on('error', () => {})
    await eventually(() => received === ': welcome\n\n')
    for (let i = 1; i <= 50; i++) {
      // The next one is sent only once this one has arrived: none may wait for another.
      const sent = `id: ${i}\ndata: ${'x'.repeat(i * 40)}\n\n`
      send(sent)
      await eventually(() => received.endsWith(sent))
    }
    response.destroy()
    await eventually(() => gone)
  })
})
