import { seededRandom } from '@portolan/core'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { expect, it } from 'vitest'
import { openGateway } from './gateway.ts'
import { fixture } from './testing/fixture.ts'
import { answering, hello, instancesOf } from './testing/harness.ts'
import { StaticResolver } from './testing/static-resolver.ts'

const { opened, rawUpstream, clientOf } = fixture()

it('a gateway that knows no routes yet serves nobody, by no Host', async () => {
  const upstream = await rawUpstream(answering(hello))
  const resolver = new StaticResolver()
  resolver.give('order', instancesOf([upstream.port]))
  const gateway = await openGateway({
    resolver,
    routes: undefined,
    settings: { listen: [{ host: '127.0.0.1', port: 0 }], drainMs: 100 },
    clock: { now: () => performance.now() },
    random: seededRandom(7),
    log: pino({ level: 'silent' }),
    metrics: new Registry(),
  })
  opened.add(() => gateway.close())
  const client = clientOf(gateway.port)
  const get = (host: string) => `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`
  const ownOptions = 'OPTIONS * HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n'
  client.send(get('order.portolan')).send(get('a')).send(ownOptions)
  await client.until(() => client.received.split('HTTP/1.1 503 Service Unavailable').length === 4)
  expect(client.received.match(/Portolan-Error: not_ready\r\nRetry-After: 1\r\n/g)).toHaveLength(3)
  expect(upstream.accepted()).toBe(0)

  // The same connection is served from then on.
  gateway.setRoutes({ routes: [], exposed: 'all' })
  await client.send(get('order.portolan')).until('hello')
})
