import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openTested, type Tested } from '../testing/open-tested.ts'
import { openSession, type SessionClient } from '../testing/session-client.ts'

let tested: Tested
beforeEach(async () => {
  tested = await openTested({ found: 'answered' })
})
afterEach(() => tested.close())

const name = { namespace: 'default', service: 'order', id: 'i1' }

/** An instance, a session that picks by its service's sets, and a drain that waits for that. */
async function draining() {
  const owner = await openSession(tested.url, { kind: 'agent' })
  const picker = await openSession(tested.url, { kind: 'proxy' })
  await owner.ask({ type: 'register', seq: 1, instance: { service: 'order', id: 'i1', ports: [8080] } })
  await picker.ask({ type: 'watch', seq: 1, service: 'order' })
  const { cursor } = await picker.next('snapshot')
  let acknowledged: boolean | undefined
  const drained = tested.registry.drain(name, { name: 'ops', admin: true }, 10_000).then(all => {
    acknowledged = all
  })
  await picker.next('delta')
  return { owner, picker, cursor, drained, acknowledged: () => acknowledged }
}

/** What the client library does once a connection is up: goes on from its cursor, and says again where it stands. */
async function answer(picker: SessionClient, from: string): Promise<void> {
  await picker.ask({ type: 'watch', seq: 2, service: 'order', from })
  const { cursor, put } = await picker.next('delta')
  picker.send({ type: 'ack', service: 'order', cursor })
  picker.send({ type: 'idle', service: 'order', id: 'i1', incarnation: put[0]?.incarnation ?? 0 })
}

describe('a drain and a session whose connection ends', () => {
  it('waits for one that broke until it is back and has answered', async () => {
    const { owner, picker, cursor, drained, acknowledged } = await draining()
    picker.websocket.terminate()
    await picker.closed
    await setTimeout(50)
    expect(acknowledged()).toBeUndefined()
    const back = await openSession(tested.url, { kind: 'proxy', resume: picker.welcome.session })
    expect(back.welcome.session).toBe(picker.welcome.session)
    await setTimeout(20)
    expect(acknowledged()).toBeUndefined()
    await answer(back, cursor)
    await drained
    expect(acknowledged()).toBe(true)
    await Promise.all([owner.close(), back.close()])
  })

  it('waits for one that another connection takes over, however that one before it ends', async () => {
    const { owner, picker, cursor, drained, acknowledged } = await draining()
    const next = await openSession(tested.url, { kind: 'proxy', resume: picker.welcome.session })
    expect(await picker.closed).toBe(4409)
    await setTimeout(50)
    expect(acknowledged()).toBeUndefined()
    await answer(next, cursor)
    await drained
    expect(acknowledged()).toBe(true)
    await Promise.all([owner.close(), next.close()])
  })

  it('does not wait for one that closed, or watches no more', async () => {
    for (const how of ['close', 'unwatch'] as const) {
      const { owner, picker, drained, acknowledged } = await draining()
      if (how === 'close') await picker.close()
      else await picker.ask({ type: 'unwatch', seq: 9, service: 'order' })
      await drained
      expect(acknowledged()).toBe(true)
      await owner.ask({ type: 'deregister', seq: 9, service: 'order', id: 'i1', incarnation: 1_000_000 })
      await Promise.all([owner.close(), picker.close()])
    }
  })
})
