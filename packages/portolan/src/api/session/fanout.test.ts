import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTested, type Tested } from '../testing/open-tested.ts'
import { openSession, type SessionClient } from '../testing/session-client.ts'

const watchers = 1000
const others = 50

let tested: Tested
beforeAll(async () => {
  tested = await openTested()
})
afterAll(() => tested.close())

async function openWatchers(count: number, service: string): Promise<SessionClient[]> {
  const open: SessionClient[] = []
  for (let first = 0; first < count; first += 50) {
    const some = Array.from({ length: Math.min(50, count - first) }, async () => {
      const client = await openSession(tested.url)
      await client.ask({ type: 'watch', seq: 1, service })
      await client.next('snapshot')
      return client
    })
    open.push(...(await Promise.all(some)))
  }
  return open
}

describe('a thousand watchers', () => {
  it('each get every change once, and those of another service get none', { timeout: 60_000 }, async () => {
    const hot = await openWatchers(watchers, 'hot')
    const cold = await openWatchers(others, 'cold')
    const owner = await openSession(tested.url, { kind: 'agent' })
    for (let seq = 1; seq <= 3; seq++) {
      const id = `hot-${seq}`
      await owner.ask({ type: 'register', seq, instance: { service: 'hot', id, ports: [80] } })
      const deltas = await Promise.all(hot.map(client => client.next('delta')))
      expect(new Set(deltas.map(({ cursor }) => cursor)).size).toBe(1)
      for (const { put } of deltas) expect(put.map(instance => instance.id)).toEqual([id])
    }
    expect(hot.flatMap(({ received }) => received)).toEqual([])
    expect(cold.flatMap(({ received }) => received)).toEqual([])
    for (const client of [...hot, ...cold, owner]) client.websocket.terminate()
  })
})
