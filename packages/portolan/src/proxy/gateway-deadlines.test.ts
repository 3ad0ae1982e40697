import { describe, expect, it } from 'vitest'
import { fixture } from './testing/fixture.ts'
import { hello, instancesOf } from './testing/harness.ts'

const { gatewayFor, rawUpstream, clientOf } = fixture()

const get = 'GET / HTTP/1.1\r\nHost: order.portolan\r\n\r\n'
const post = (length: number) =>
  `POST / HTTP/1.1\r\nHost: order.portolan\r\nContent-Length: ${length}\r\n\r\n`

describe('deadlines', () => {
  it('the wait for the first instance set ends with that set', async () => {
    const upstream = await rawUpstream(socket => setTimeout(() => socket.write(hello), 300))
    const { gateway, resolver } = await gatewayFor([], { resolveMs: 150 })
    for (const request of [get, `${post(3)}abc`]) {
      const client = clientOf(gateway.port).send(request)
      setTimeout(() => resolver.give('order', instancesOf([upstream.port])), 20)
      expect(await client.until('hello')).toBe(hello)
    }
  })

  it('a body that comes meanwhile does not lengthen the wait for the first instance set', async () => {
    const { gateway } = await gatewayFor([], { resolveMs: 200 })
    for (const rest of ['x'.repeat(99_999), 'x', 'x'.repeat(80_000)]) {
      const client = clientOf(gateway.port).send(`${post(100_000)}x`)
      setTimeout(() => client.send(rest), 40)
      expect(await client.until('no_instance_available')).toContain('503')
    }
  })
})
