import { seededRandom } from '@portolan/core'
import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { Deadlines } from './deadlines.ts'
import { GatewayMetrics } from './metrics.ts'
import { openPathContext } from './path-context.ts'
import { defaultGatewaySettings } from './settings.ts'
import { fixture } from './testing/fixture.ts'
import { eventually } from './testing/harness.ts'
import { UpstreamConnection } from './upstream-connection.ts'

const { opened, rawUpstream } = fixture()

async function setUp() {
  const upstream = await rawUpstream(() => {})
  const told: string[] = []
  const deadlines = new Deadlines(1000)
  const path = openPathContext({
    settings: defaultGatewaySettings,
    clock: { now: () => 0 },
    random: seededRandom(1),
    deadlines,
    metrics: new GatewayMetrics(),
    log: pino({ level: 'silent' }),
  })
  const connection = new UpstreamConnection(
    path,
    { closed: () => {} },
    { addresses: ['127.0.0.1'], port: upstream.port },
    {
      method: 'other',
      answerWithinMs: 60_000,
      connected: () => told.push('connected'),
      interim: () => told.push('interim'),
      switched: () => undefined,
      responded: () => 'wire',
      span: () => {},
      passOn: () => {},
      finished: () => told.push('finished'),
      failed: failure => told.push(failure),
      drained: () => told.push('drained'),
    },
  )
  opened.add(() => connection.destroy())
  await eventually(() => told.includes('connected') && upstream.sockets.size === 1)
  const sweep = (ms: number) => {
    for (let at = 0; at < ms; at += 1000) deadlines.sweep()
  }
  return { upstream, connection, told, sweep }
}

describe('a connection to an instance', () => {
  it('waits for an answer no longer because the request was too large for one write', async () => {
    const { upstream, connection, told, sweep } = await setUp()
    for (const socket of upstream.sockets) socket.pause()
    connection.write(Buffer.alloc(20_000_000))
    expect(connection.congested).toBe(true)
    connection.awaitResponse()
    sweep(defaultGatewaySettings.responseMs / 2)
    for (const socket of upstream.sockets) socket.resume()
    await eventually(() => told.includes('drained'))
    sweep(defaultGatewaySettings.responseMs - 1000)
    expect(told).not.toContain('response-timeout')
    sweep(1000)
    expect(told).toContain('response-timeout')
  })
})
