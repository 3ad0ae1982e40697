import type { Cause, ProbeResult } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import { openMemoryStore } from '../store/memory.ts'
import type { Commit } from '../store/store.ts'
import { nameOf, openTested, order, owner, record, register, type Tested } from './testing/open-tested.ts'
import { settle } from './testing/virtual-time.ts'

const causes = ({ registry }: Tested, id = 'a'): readonly Cause[] | undefined =>
  registry.find(nameOf(id))?.causes
const ids = ({ registry }: Tested): string[] => registry.view(order).instances.map(({ id }) => id)

async function withSession(options: Parameters<typeof openTested>[0] = {}) {
  const tested = await openTested(options)
  tested.registry.sessionOpened('s')
  const { incarnation } = await register(tested, 'a', { session: 's' })
  return { tested, incarnation, registry: tested.registry }
}

describe('a session', () => {
  it('keeps what it registered for as long as it lives', async () => {
    const { tested } = await withSession()
    await tested.time.pass(120_000)
    expect(causes(tested)).toEqual([])
  })

  it('that falls silent takes its instances out of traffic, and its next answer brings them back', async () => {
    const { tested, registry } = await withSession()
    registry.sessionSilent('s')
    await settle()
    expect(causes(tested)).toMatchObject([{ kind: 'disconnected', owner: 's' }])
    expect(tested.probed).toEqual([])
    registry.sessionAnswered('s')
    await settle()
    expect(causes(tested)).toEqual([])
    await tested.time.pass(60_000)
    expect(ids(tested)).toEqual(['a'])
  })

  it('is never left behind by its own answer, however close they come', async () => {
    const { tested, registry } = await withSession()
    for (let round = 0; round < 5; round++) {
      registry.sessionSilent('s')
      registry.sessionAnswered('s')
    }
    await settle()
    expect(causes(tested)).toEqual([])
  })

  it('that closed and refuses a probe has crashed: removed at once', async () => {
    const { tested, registry } = await withSession({ answer: () => 'refused' })
    const { changes } = record(tested)
    registry.sessionClosed('s')
    await tested.time.pass(0)
    expect(ids(tested)).toEqual([])
    expect(changes.at(-1)).toMatchObject({ gone: [{ id: 'a', reason: 'refused' }] })
  })

  it('that closed while its program answers loses nothing, for the time of a lease', async () => {
    const { tested, registry } = await withSession({ answer: () => 'answered' })
    registry.sessionClosed('s')
    await tested.time.pass(60)
    expect(causes(tested)).toEqual([])
    await tested.time.pass(14_500)
    expect(ids(tested)).toEqual(['a'])
    await tested.time.pass(1000)
    expect(ids(tested)).toEqual([])
  })

  it('that closes before the port of its dying program does is not believed: removed at the second look', async () => {
    let probes = 0
    const { tested, registry } = await withSession({ answer: () => (++probes < 2 ? 'answered' : 'refused') })
    registry.sessionClosed('s')
    await tested.time.pass(20)
    registry.proved({ namespace: 'default', service: 'order', id: 'a' }, 1, 'answered')
    await tested.time.pass(20)
    expect(causes(tested)).toMatchObject([{ kind: 'disconnected' }])
    await tested.time.pass(20)
    expect(ids(tested)).toEqual([])
  })

  it('that closed without an answer to the probe has no traffic until the lease ends', async () => {
    const { tested, registry } = await withSession()
    registry.sessionClosed('s')
    await tested.time.pass(14_500)
    expect(causes(tested)).toMatchObject([{ kind: 'disconnected' }])
    await tested.time.pass(1000)
    expect(ids(tested)).toEqual([])
  })

  it('whose first probe got lost is probed again', async () => {
    let probes = 0
    const { tested, registry } = await withSession({ answer: () => (++probes < 3 ? 'silent' : 'answered') })
    registry.sessionClosed('s')
    await tested.time.pass(2900)
    expect(causes(tested)).toHaveLength(1)
    await tested.time.pass(200)
    expect(causes(tested)).toEqual([])
    expect(probes).toBe(3)
  })

  it('that fell silent before it closed is not saved by a bare connect: a kernel answers for a stopped process', async () => {
    const { tested, registry } = await withSession({ answer: () => 'answered' })
    registry.sessionSilent('s')
    registry.sessionClosed('s')
    await settle()
    expect(tested.probed).toEqual(['a'])
    expect(causes(tested)).toMatchObject([{ kind: 'disconnected' }])
  })

  it('that comes back, resumed or under another name, goes on with the same run', async () => {
    const { tested, registry, incarnation } = await withSession()
    registry.sessionClosed('s')
    await settle()
    registry.sessionOpened('s')
    await settle()
    expect(causes(tested)).toEqual([])
    registry.sessionClosed('s')
    registry.sessionOpened('t')
    const again = await register(tested, 'a', { session: 't' })
    expect(again.incarnation).toBe(incarnation)
    expect(causes(tested)).toEqual([])
    await tested.time.pass(60_000)
    expect(ids(tested)).toEqual(['a'])
  })

  it('that came back while the probe was under way is believed, not the probe', async () => {
    let answer = (_: 'refused'): void => {}
    const { tested, registry } = await withSession({
      answer: () => new Promise(resolve => (answer = resolve)),
    })
    registry.sessionClosed('s')
    await settle()
    registry.sessionOpened('s')
    answer('refused')
    await settle()
    expect(causes(tested)).toEqual([])
  })

  it('that closes while its registration is on the way loses it like any other', async () => {
    const tested = await openTested({ answer: () => 'refused' })
    tested.registry.sessionOpened('s')
    const registering = register(tested, 'a', { session: 's' })
    tested.registry.sessionClosed('s')
    await registering
    await settle()
    expect(ids(tested)).toEqual([])
  })

  it('of a successor takes the id over, and the goodbye of the one before comes too late', async () => {
    const { tested, registry, incarnation } = await withSession()
    registry.sessionOpened('t')
    const successor = await register(tested, 'a', { session: 't' })
    expect(successor.incarnation).toBeGreaterThan(incarnation)
    await registry.deregister(nameOf('a'), owner, { incarnation })
    registry.sessionClosed('s')
    await settle()
    expect(causes(tested)).toEqual([])
    expect(tested.probed).toEqual([])
  })
})

describe('a supervised program', () => {
  it('joins its supervisor in one run, and falls by the exit of its process', async () => {
    const { tested, registry, incarnation } = await withSession({ answer: () => 'refused' })
    const joined = await register(tested, 'a', { tether: 'process' })
    expect(joined.incarnation).toBe(incarnation)
    registry.sessionClosed('s')
    await tested.time.pass(60_000)
    expect(causes(tested)).toMatchObject([{ kind: 'disconnected' }])
    await registry.deregister(nameOf('a'), owner, { reason: 'exited' })
    expect(ids(tested)).toEqual([])
  })

  it('that hangs has no traffic, although its supervisor is well', async () => {
    const { tested, registry } = await withSession()
    await register(tested, 'a', { tether: 'process' })
    registry.sessionSilent('s')
    await settle()
    expect(causes(tested)).toMatchObject([{ kind: 'disconnected', owner: 's' }])
    await register(tested, 'a', { tether: 'process' })
    expect(causes(tested)).toHaveLength(1)
  })
})

describe('a lease', () => {
  it('ends 15 s after the last renewal', async () => {
    const tested = await openTested()
    const { incarnation } = await register(tested, 'a')
    for (let beat = 0; beat < 10; beat++) {
      await tested.time.pass(10_000)
      tested.registry.renew(nameOf('a'), owner, incarnation)
    }
    await tested.time.pass(14_500)
    expect(ids(tested)).toEqual(['a'])
    await tested.time.pass(1000)
    expect(ids(tested)).toEqual([])
    expect(() => tested.registry.renew(nameOf('a'), owner)).toThrow(/no instance/)
  })

  it('is longer by the time that our process stood still, even shortly before its end', async () => {
    const tested = await openTested()
    await register(tested, 'a')
    await tested.time.pass(14_900)
    tested.time.freeze(60_000)
    await tested.time.pass(0)
    expect(ids(tested)).toEqual(['a'])
    // What had queued up in the sockets is read now.
    tested.registry.renew(nameOf('a'), owner)
    await tested.time.pass(14_000)
    expect(ids(tested)).toEqual(['a'])
    expect(await tested.metric('portolan_registry_late_checks_total')).toBe(1)
  })

  it('that is renewed while others are being removed goes on', async () => {
    const store = openMemoryStore()
    const watched = {
      ...store,
      commit(commit: Commit) {
        // More instances leave than go into one commit: the last of them is heard of after the first commit.
        if (commit.delete?.includes('instances/default/order/a-0') === true) {
          tested.registry.renew(nameOf('a-549'), owner)
        }
        return store.commit(commit)
      },
    }
    const tested = await openTested({ store: watched })
    tested.registry.sessionOpened('s')
    await Promise.all(Array.from({ length: 600 }, (_, i) => register(tested, `b-${i}`, { session: 's' })))
    await Promise.all(Array.from({ length: 550 }, (_, i) => register(tested, `a-${i}`)))
    await tested.time.pass(16_000)
    expect(ids(tested).filter(id => id.startsWith('a-'))).toEqual(['a-549'])
  })
})

describe('protection', () => {
  it('keeps a service of which more than half fell silent together, and ends by itself', async () => {
    const tested = await openTested()
    for (const id of ['a', 'b', 'c', 'd']) await register(tested, id)
    const keepAlive = async (alive: string[], ms: number): Promise<void> => {
      for (let passed = 0; passed < ms; passed += 5000) {
        for (const id of alive) tested.registry.renew(nameOf(id), owner)
        await tested.time.pass(5000)
      }
    }
    await keepAlive(['d'], 60_000)
    expect(ids(tested)).toEqual(['a', 'b', 'c', 'd'])
    expect(await tested.metric('portolan_registry_protected_instances')).toBe(3)
    expect(await tested.metric('portolan_registry_protected')).toBe(3)
    await keepAlive(['c', 'd'], 5000)
    expect(await tested.metric('portolan_registry_protected_instances')).toBe(0)
    expect(await tested.metric('portolan_registry_protected')).toBe(0)
    // The others may be on their way: they have the time of a lease to be heard of.
    await keepAlive(['c', 'd'], 5000)
    expect(ids(tested)).toEqual(['a', 'b', 'c', 'd'])
    await keepAlive(['c', 'd'], 10_000)
    expect(ids(tested)).toEqual(['c', 'd'])
  })

  it('lets those go whose host says that nobody listens', async () => {
    const tested = await openTested({ answer: ({ id }) => (id === 'a' ? 'refused' : 'silent') })
    for (const id of ['a', 'b', 'c']) await register(tested, id)
    await tested.time.pass(20_000)
    expect(ids(tested)).toEqual(['b', 'c'])
  })

  it('lets nobody go who was heard of while its host was asked', async () => {
    let answer: (result: ProbeResult) => void = () => {}
    const tested = await openTested({
      answer: ({ id }) => (id === 'a' ? new Promise<ProbeResult>(resolve => (answer = resolve)) : 'silent'),
    })
    for (const id of ['a', 'b', 'c']) await register(tested, id)
    await tested.time.pass(16_000)
    expect(tested.probed).toContain('a')
    tested.registry.renew(nameOf('a'), owner)
    answer('refused')
    await settle()
    expect(ids(tested)).toContain('a')
  })

  it('does not keep for ever what nothing but heartbeats spoke for', async () => {
    const tested = await openTested({ answer: () => 'answered' })
    tested.registry.sessionOpened('elsewhere')
    for (const id of ['a', 'b', 'c']) await register(tested, id)
    await tested.time.pass(290_000)
    expect(ids(tested)).toEqual(['a', 'b', 'c'])
    await tested.time.pass(60_000)
    expect(ids(tested)).toEqual([])
  })

  it('takes the silence of most sessions for our own fault', async () => {
    const tested = await openTested()
    for (const id of ['a', 'b', 'c']) {
      tested.registry.sessionOpened(id)
      await register(tested, id, { session: id, service: `service-${id}` })
    }
    for (const id of ['a', 'b']) tested.registry.sessionClosed(id)
    await tested.time.pass(60_000)
    expect(tested.registry.services()).toHaveLength(3)
    tested.registry.sessionOpened('new-1')
    tested.registry.sessionOpened('new-2')
    await tested.time.pass(14_000)
    expect(tested.registry.services()).toHaveLength(3)
    await tested.time.pass(2000)
    expect(tested.registry.services()).toHaveLength(1)
  })
})

describe('a restart', () => {
  async function restarted(count: number, answer: (id: string) => 'answered' | 'refused' | 'silent') {
    const before = await openTested({ answer: ({ id }) => answer(id) })
    before.registry.sessionOpened('s')
    await Promise.all(
      Array.from({ length: count }, (_, index) => register(before, `i${index}`, { session: 's' })),
    )
    const { cursor } = before.registry.view(order)
    return { tested: await before.restart(), cursor }
  }

  it('marks what it remembers until somebody has heard of it, and never goes back in revision', async () => {
    const { tested, cursor } = await restarted(3, id => (id === 'i0' ? 'answered' : 'silent'))
    expect(tested.registry.view(order).cursor.epoch).toBe(cursor.epoch)
    expect(tested.registry.view(order).cursor.revision).toBeGreaterThan(cursor.revision)
    await settle()
    expect(causes(tested, 'i0')).toEqual([])
    expect(causes(tested, 'i1')).toMatchObject([{ kind: 'disconnected', owner: 'restart' }])
    tested.registry.sessionOpened('t')
    await register(tested, 'i1', { session: 't' })
    expect(causes(tested, 'i1')).toEqual([])
  })

  it('removes what is refused, when it is most of a service after a second look', async () => {
    const few = await restarted(4, id => (id === 'i0' ? 'refused' : 'answered'))
    await settle()
    expect(ids(few.tested)).toEqual(['i1', 'i2', 'i3'])
    const most = await restarted(4, id => (id === 'i0' ? 'answered' : 'refused'))
    await settle()
    expect(ids(most.tested)).toHaveLength(4)
    await most.tested.time.pass(1000)
    expect(ids(most.tested)).toEqual(['i0'])
  })

  it('asks again where the first probe got lost', async () => {
    let probes = 0
    const { tested } = await restarted(2, () => (++probes < 4 ? 'silent' : 'answered'))
    await tested.time.pass(1000)
    expect(tested.registry.services()[0]?.healthy).toBe(1)
    await tested.time.pass(2000)
    expect(tested.registry.services()[0]?.healthy).toBe(2)
  })

  it('is calm with 5,000: commits by the hundreds', async () => {
    const { tested, cursor } = await restarted(5000, () => 'answered')
    await settle()
    await expect.poll(() => tested.registry.services()[0]?.healthy).toBe(5000)
    expect(tested.registry.cursor.revision - cursor.revision).toBeLessThan(50)
  })

  it('asks who has answered no more while the others come back, and of the silent 500 a second', async () => {
    const { tested } = await restarted(3000, id => (Number(id.slice(1)) < 1000 ? 'answered' : 'silent'))
    await tested.time.pass(8000)
    tested.probed.length = 0
    for (let second = 0; second < 4; second++) {
      tested.registry.sessionOpened(`t${second}`)
      await register(tested, `i${second}`, { session: `t${second}` })
      await tested.time.pass(1000)
    }
    const asked = new Set(tested.probed)
    expect(tested.probed.length).toBeLessThanOrEqual(4 * 500)
    expect(asked.size).toBe(tested.probed.length)
    expect(asked.size).toBeGreaterThanOrEqual(3 * 500)
    for (const id of asked) expect(Number(id.slice(1))).toBeGreaterThanOrEqual(1000)
  })

  it('asks nothing of static members', async () => {
    const before = await openTested()
    await register(before, 'a', { tether: 'static' })
    const tested = await before.restart()
    await tested.time.pass(60_000)
    expect(causes(tested)).toEqual([])
    expect(tested.probed).toEqual([])
  })
})

describe('closing', () => {
  it('leaves no timer behind', async () => {
    const { tested, registry } = await withSession()
    record(tested)
    registry.sessionSilent('s')
    await registry.close()
    expect(tested.time.waiting).toBe(0)
  })
})
