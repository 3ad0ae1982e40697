import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTested, type Tested } from '../testing/open-tested.ts'
import { requestText, sendRaw } from '../testing/raw-http.ts'
import { openSocket } from '../testing/session-client.ts'

let tested: Tested
beforeAll(async () => {
  tested = await openTested({
    settings: {
      listen: [{ host: '127.0.0.1', port: 0 }],
      names: ['registry.example'],
      origins: ['https://console.example'],
    },
  })
})
afterAll(() => tested.close())

const ask = (...headers: string[]) => sendRaw(tested.port, requestText('GET /api/v1/services', headers))
const upgrade = (...headers: string[]) =>
  sendRaw(
    tested.port,
    [
      'GET /api/v1/session HTTP/1.1',
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      ...headers,
      '',
      '',
    ].join('\r\n'),
  )

const foreignHosts = ['evil.example', '127.0.0.1.evil.example', 'localhost.evil.example:7400', '2130706433']
const foreignOrigins = [
  'http://evil.example',
  'null',
  'http://localhost:1',
  'https://console.example.evil.example',
]

describe('the doors', () => {
  it.each(['localhost', '127.0.0.1:7400', '[::1]:7400', 'registry.example'])(
    'open for Host %s',
    async host => {
      expect((await ask(`Host: ${host}`)).status).toBe(200)
    },
  )

  it.each(foreignHosts)('stay shut for Host %s (DNS rebinding)', async host => {
    const answer = await ask(`Host: ${host}`)
    expect(answer.status).toBe(421)
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'host_not_allowed', status: 421 })
    expect((await upgrade(`Host: ${host}`)).status).toBe(421)
  })

  it.each(foreignOrigins)('stay shut for pages of %s', async origin => {
    const answer = await ask('Host: localhost', `Origin: ${origin}`)
    expect(answer.status).toBe(403)
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'origin_not_allowed' })
    expect((await upgrade('Host: localhost', `Origin: ${origin}`)).status).toBe(403)
  })

  it('let a foreign page change nothing, preflight or not', async () => {
    const headers = ['Host: localhost', 'Origin: http://evil.example']
    expect((await sendRaw(tested.port, requestText('OPTIONS /api/v1/services', headers))).status).toBe(403)
    const path = '/api/v1/services/order/instances/order-1/heartbeat'
    const post = requestText(`POST ${path}`, [...headers, 'Content-Type: text/plain', 'Content-Length: 0'])
    expect((await sendRaw(tested.port, post)).status).toBe(403)
    expect(tested.registry.services()).toEqual([])
  })

  it('open for our own pages and configured ones', async () => {
    expect((await ask('Host: localhost:7400', 'Origin: http://localhost:7400')).status).toBe(200)
    expect((await ask('Host: localhost', 'Origin: https://console.example')).status).toBe(200)
    const client = await openSocket(tested.url, { origin: tested.url })
    await client.close()
  })

  it('stay shut for requests that name two hosts', async () => {
    expect((await ask('Host: localhost', 'Host: evil.example')).status).toBe(421)
    const absolute = requestText('GET http://evil.example/api/v1/services', ['Host: localhost'])
    expect((await sendRaw(tested.port, absolute)).status).toBe(400)
  })

  it('refuse what is no HTTP, with a reason', async () => {
    expect((await sendRaw(tested.port, requestText('GET /healthz'))).status).toBe(400)
    const garbage = await sendRaw(tested.port, 'hello?\r\n\r\n')
    expect(garbage.status).toBe(400)
    expect(JSON.parse(garbage.body)).toMatchObject({ code: 'invalid_request' })
  })

  it('refuse heads and targets that are too long', async () => {
    const head = requestText('GET /healthz', ['Host: localhost', `X-Long: ${'x'.repeat(20_000)}`])
    expect((await sendRaw(tested.port, head)).status).toBe(431)
    const target = requestText(`GET /api/v1/services?namespace=${'x'.repeat(5000)}`, ['Host: localhost'])
    expect((await sendRaw(tested.port, target)).status).toBe(400)
  })

  it('have no websocket elsewhere', async () => {
    const answer = await sendRaw(
      tested.port,
      'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    )
    expect(answer.status).toBe(404)
  })
})
