import type { Fault } from '@portolan/core'
import { afterEach, describe, expect, test } from 'vitest'
import { sessionUrl } from '../environment.ts'
import { eventually } from '../testing/eventually.ts'
import { localRuntime } from '../testing/local-runtime.ts'
import { ScriptedRegistry } from '../testing/scripted-registry.ts'
import type { Link } from './link.ts'
import { openSession, type Session } from './session.ts'
import { dialWebSocket } from './websocket.ts'

const ends: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function startRegistry(): Promise<ScriptedRegistry> {
  const registry = await new ScriptedRegistry({ pingMs: 50 }).start()
  ends.push(() => registry.stop())
  return registry
}

interface Opened {
  readonly session: Session
  readonly faults: Fault[]
  readonly ups: Link[]
  downs(): number
}

function open(...urls: string[]): Opened {
  const faults: Fault[] = []
  const session = openSession(
    {
      urls: urls.map(sessionUrl),
      kind: 'sdk',
      name: 'test',
      token: 'secret',
      tls: undefined,
      attemptMs: 300,
      requestMs: 1000,
      onFault: fault => faults.push(fault),
    },
    { ...localRuntime(), dial: dialWebSocket },
  )
  const ups: Link[] = []
  let downs = 0
  session.attach({
    up: link => ups.push(link),
    receive: () => {},
    down: () => {
      downs += 1
    },
  })
  ends.push(() => session.close())
  return { session, faults, ups, downs: () => downs }
}

describe('a session', () => {
  test('says hello with its token and goes on under the same name after a cut', async () => {
    const registry = await startRegistry()
    const { session, ups, downs } = open(registry.url)
    const link = await session.whenUp(2000)
    expect(registry.peers[0]?.headers.authorization).toBe('Bearer secret')
    registry.peers[0]?.drop()
    await eventually('a second connection', () => ups.length === 2)
    expect(downs()).toBe(1)
    expect(registry.of('hello')).toMatchObject([
      { protocol: 1, kind: 'sdk', name: 'test' },
      { resume: link.welcome.session },
    ])
  })

  test('fails what was asked when the connection goes', async () => {
    const registry = await startRegistry()
    registry.script(() => true)
    const { session } = open(registry.url)
    const link = await session.whenUp(2000)
    const asked = link.request({ type: 'watch', service: 'order' })
    const failed = expect(asked).rejects.toMatchObject({ code: 'session_closed', retryable: true })
    await eventually('the question', () => registry.of('watch').length === 1)
    registry.peers[0]?.drop()
    await failed
  })

  test('takes answers in any order', async () => {
    const registry = await startRegistry()
    const held: number[] = []
    registry.script((request, peer) => {
      held.push(request.seq)
      if (held.length < 3) return true
      for (const seq of held.reverse()) peer.send({ type: 'done', seq, cursor: `e.${seq}` })
      return true
    })
    const { session } = open(registry.url)
    const link = await session.whenUp(2000)
    const answers = await Promise.all(
      ['a', 'b', 'c'].map(service => link.request({ type: 'watch', service })),
    )
    expect(answers.map(({ seq }) => seq)).toEqual([1, 2, 3])
  })

  test.each([
    ['text that is not JSON', (registry: ScriptedRegistry) => registry.peers[0]?.sendText('}{')],
    ['a malformed message', (registry: ScriptedRegistry) => registry.peers[0]?.sendText('{"type":"delta"}')],
    ['a binary frame', (registry: ScriptedRegistry) => registry.peers[0]?.sendBinary()],
  ])('ends a connection that brings %s, and makes another', async (_, misbehave) => {
    const registry = await startRegistry()
    const { session, ups, faults } = open(registry.url)
    await session.whenUp(2000)
    misbehave(registry)
    await eventually('another connection', () => ups.length === 2)
    expect(faults[0]).toMatchObject({ code: 'protocol_unsupported' })
  })

  test('leaves a silent registry for another one', async () => {
    const [first, second] = [await startRegistry(), await startRegistry()]
    const { session, ups, faults } = open(first.url, second.url)
    const link = await session.whenUp(2000)
    const [silent, other] = link.url === sessionUrl(first.url) ? [first, second] : [second, first]
    silent.faults.silent = true
    await eventually('a connection elsewhere', () => ups.length === 2)
    expect(ups[1]?.url).toBe(sessionUrl(other.url))
    expect(faults[0]?.message).toMatch(/silent for \d+ ms/)
  })

  test('comes back when the registry does', async () => {
    const registry = await startRegistry()
    const { session, ups } = open(registry.url)
    await session.whenUp(2000)
    await registry.stop()
    await eventually('the loss', () => session.link === undefined)
    await registry.start()
    await eventually('a second connection', () => ups.length === 2)
  })

  test('a registry that takes connections and says nothing is not waited for', async () => {
    const [mute, live] = [await startRegistry(), await startRegistry()]
    mute.faults.mute = true
    const { session } = open(mute.url, live.url)
    expect((await session.whenUp(5000)).url).toBe(sessionUrl(live.url))
  })

  test('names every registry that it tried, and why', async () => {
    const [gone, other] = [await startRegistry(), await startRegistry()]
    await gone.stop()
    await other.stop()
    const { session } = open(gone.url, other.url)
    const fault = await session.whenUp(500).catch((thrown: unknown) => thrown)
    expect(fault).toMatchObject({ code: 'registry_unreachable', retryable: true })
    for (const url of [gone.url, other.url]) {
      expect(String(fault)).toContain(`${sessionUrl(url)} (connect ECONNREFUSED`)
    }
  })

  test('does not wait for those that refuse it', async () => {
    const registry = await startRegistry()
    registry.faults.refuse = 401
    const { session } = open(registry.url)
    const refused = session.whenUp(60_000)
    await expect(refused).rejects.toMatchObject({ code: 'unauthorized', retryable: false })
    await expect(refused).rejects.toThrow('answered 401: the script says no')
  })

  test('refuses another protocol', async () => {
    const registry = await startRegistry()
    registry.faults.mute = true
    const { session } = open(registry.url)
    const waiting = expect(session.whenUp(60_000)).rejects.toMatchObject({ code: 'protocol_unsupported' })
    await eventually('hello', () => registry.of('hello').length === 1)
    const welcome = { type: 'welcome', session: 's', epoch: 'e', pingMs: 50, leaseMs: 1 } as const
    registry.peers[0]?.send({ ...welcome, protocol: 2 })
    await waiting
  })

  test('closes during an attempt, a pause and a connection, and asks nothing afterwards', async () => {
    const registry = await startRegistry()
    const early = open(registry.url)
    await early.session.close()
    const late = open(registry.url)
    await late.session.whenUp(2000)
    await late.session.close()
    await late.session.close()
    await registry.stop()
    const pausing = open(registry.url)
    await eventually('a failure', () => pausing.faults.length > 0)
    await pausing.session.close()
    await expect(pausing.session.whenUp(10)).rejects.toMatchObject({ code: 'session_closed' })
  })
})
