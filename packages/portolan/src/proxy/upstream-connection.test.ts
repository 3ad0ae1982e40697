import { seededRandom } from '@portolan/core'
import { pino } from 'pino'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Deadlines } from './deadlines.ts'
import { GatewayMetrics } from './metrics.ts'
import { openPathContext } from './path-context.ts'
import type { ResponseReceiver } from './response-receiver.ts'
import { defaultGatewaySettings } from './settings.ts'
import { fixture } from './testing/fixture.ts'
import { eventually } from './testing/harness.ts'
import { UpstreamConnection } from './upstream-connection.ts'

afterEach(() => vi.useRealTimers())

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
  const receiver: ResponseReceiver = {
    method: 'other',
    answerWithinMs: 60_000,
    connected: () => told.push('connected'),
    interim: () => told.push('interim'),
    switched: () => undefined,
    responded: (_, { status }) => {
      told.push(`responded ${status}`)
      return 'wire'
    },
    span: () => {},
    passOn: () => {},
    finished: () => told.push('finished'),
    failed: failure => told.push(failure),
    drained: () => told.push('drained'),
  }
  const target = { addresses: ['127.0.0.1'], port: upstream.port }
  const connection = new UpstreamConnection(path, { idleMs: 4000, closed: () => {} }, target, receiver)
  opened.add(() => connection.destroy())
  await eventually(() => told.includes('connected') && upstream.sockets.size === 1)
  const sweep = (ms: number) => {
    for (let at = 0; at < ms; at += 1000) deadlines.sweep()
  }
  return { upstream, path, connection, receiver, told, sweep }
}

const request = 'GET / HTTP/1.1\r\nHost: order\r\n\r\n'
const answer = (status: number) => `HTTP/1.1 ${status} Said\r\nContent-Length: 0\r\n\r\n`

/** One that has carried a request, with the next one waiting for the end of the loop's turn, which does not come. */
async function setUpKept() {
  vi.useFakeTimers({ toFake: ['setImmediate'] })
  const parts = await setUp()
  const { upstream, path, connection, receiver, told } = parts
  const say = (text: string) => {
    for (const socket of upstream.sockets) socket.write(text)
  }
  connection.write(request)
  path.outbox.flush()
  await eventually(() => upstream.received() === request)
  say(answer(200))
  await eventually(() => told.includes('finished'))
  told.length = 0
  connection.assign(receiver)
  connection.write(request)
  connection.awaitResponse()
  return { ...parts, say }
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
    sweep(defaultGatewaySettings.responseMs)
    expect(told).not.toContain('response-timeout')
    sweep(1000)
    expect(told).toContain('response-timeout')
  })

  it('takes what comes before its request has gone out for no answer to it', async () => {
    const { upstream, path, connection, told, say } = await setUpKept()
    say(answer(408))
    await eventually(() => told.length > 0)
    expect(told).toEqual(['lost'])
    expect(connection).toMatchObject({ isOpen: false, reused: true, answering: false })
    path.outbox.flush()
    await eventually(() => upstream.sockets.size === 0)
    expect(upstream.received()).toBe(request)
  })

  it('takes the same for the answer once its request is out', async () => {
    const { upstream, path, told, say } = await setUpKept()
    path.outbox.flush()
    await eventually(() => upstream.received() === request + request)
    say(answer(408))
    await eventually(() => told.length === 2)
    expect(told).toEqual(['responded 408', 'finished'])
  })
})
