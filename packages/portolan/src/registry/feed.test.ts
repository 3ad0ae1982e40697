import type { Instance } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import type { ViewChange } from './registry.ts'
import { nameOf, openTested, order, owner, record, register, type Tested } from './testing/open-tested.ts'

const putIds = (change: ViewChange | undefined): string[] =>
  change?.kind === 'delta' ? change.put.map(({ id }: Instance) => id) : []

const report = ({ registry }: Tested, id: string, reason: string | undefined) =>
  registry.report(nameOf(id), { kind: 'http', owner: 'check', reason })

describe('a subscription', () => {
  it('begins with the whole set, within the call', async () => {
    const tested = await openTested()
    await register(tested, 'a')
    const { changes } = record(tested)
    expect(changes).toEqual([{ kind: 'snapshot', set: tested.registry.view(order) }])
  })

  it('hears the first change after quiet at once, and those that follow together', async () => {
    const tested = await openTested()
    const { changes } = record(tested)
    await register(tested, 'a')
    await tested.time.pass(0)
    expect(putIds(changes.at(-1))).toEqual(['a'])
    for (const id of ['b', 'c', 'd']) await register(tested, id)
    await tested.time.pass(19)
    expect(changes).toHaveLength(2)
    await tested.time.pass(31)
    expect(changes).toHaveLength(3)
    expect(putIds(changes.at(-1)).sort()).toEqual(['b', 'c', 'd'])
  })

  it('does not wait for a removal or a new cause, but for its end it does', async () => {
    const tested = await openTested()
    await register(tested, 'a')
    await register(tested, 'b')
    const { changes } = record(tested)
    await report(tested, 'a', 'down')
    await tested.time.pass(0)
    expect(changes).toHaveLength(2)
    await tested.registry.deregister(nameOf('b'), owner)
    await tested.time.pass(0)
    expect(changes).toHaveLength(3)
    await report(tested, 'a', undefined)
    await tested.time.pass(0)
    expect(changes).toHaveLength(3)
    await tested.time.pass(50)
    expect(changes).toHaveLength(4)
  })

  it('gives the very same object to all who are in step', async () => {
    const tested = await openTested()
    const recorded = Array.from({ length: 50 }, () => record(tested))
    await register(tested, 'a')
    await tested.time.pass(0)
    expect(new Set(recorded.map(({ changes }) => changes.at(-1))).size).toBe(1)
  })

  it('of another service is not woken', async () => {
    const tested = await openTested()
    let woken = 0
    for (let index = 0; index < 1000; index++) {
      const service = { namespace: 'default', service: `other-${index % 10}` }
      tested.registry.subscribe(service, undefined, () => {
        woken++
        return true
      })
    }
    expect(woken).toBe(1000)
    const { changes } = record(tested)
    for (let index = 0; index < 20; index++) {
      await register(tested, `i${index}`)
      await tested.time.pass(100)
    }
    expect(changes).toHaveLength(21)
    expect(woken).toBe(1000)
  })

  it('that is congested blocks nobody, and gets all that it missed in one step, each instance once', async () => {
    const tested = await openTested()
    await register(tested, 'x')
    const slow = record(tested)
    const quick = record(tested)
    slow.takes = false
    await register(tested, 'a')
    await tested.time.pass(100)
    for (let round = 0; round < 10; round++) {
      await register(tested, 'b', { version: `${round}` })
      await tested.time.pass(100)
    }
    await tested.registry.deregister(nameOf('x'), owner)
    await tested.time.pass(100)
    expect(slow.changes).toHaveLength(2)
    expect(quick.changes).toHaveLength(13)
    slow.takes = true
    slow.subscription.resume()
    expect(slow.changes).toHaveLength(3)
    expect(slow.changes[2]).toMatchObject({
      kind: 'delta',
      put: [{ id: 'b', version: '9' }],
      gone: [{ id: 'x', reason: 'goodbye' }],
      set: tested.registry.view(order),
    })
    slow.subscription.resume()
    expect(slow.changes).toHaveLength(3)
  })

  it('that lagged beyond the history gets a snapshot', async () => {
    const tested = await openTested()
    const slow = record(tested)
    slow.takes = false
    await register(tested, 'a')
    await tested.time.pass(100)
    for (let round = 0; round < 1200; round++) await register(tested, 'b', { version: `${round}` })
    slow.takes = true
    slow.subscription.resume()
    expect(slow.changes.at(-1)).toEqual({ kind: 'snapshot', set: tested.registry.view(order) })
  })

  it('goes on from a cursor that it holds', async () => {
    const tested = await openTested()
    await register(tested, 'a')
    const { cursor } = tested.registry.view(order)
    const heard: ViewChange[] = []
    const listen = (from: typeof cursor) =>
      tested.registry.subscribe(order, from, change => {
        heard.push(change)
        return true
      })
    listen(cursor)
    expect(heard).toEqual([])
    await register(tested, 'b')
    listen(cursor)
    expect(heard).toMatchObject([{ kind: 'delta', put: [{ id: 'b' }] }])
    listen({ ...cursor, epoch: 'another' })
    listen({ ...cursor, revision: 9999 })
    expect(heard.slice(1).map(({ kind }) => kind)).toEqual(['snapshot', 'snapshot'])
  })

  it('hears nothing after it closed', async () => {
    const tested = await openTested()
    const { changes, subscription } = record(tested)
    subscription.close()
    subscription.close()
    subscription.resume()
    await register(tested, 'a')
    await tested.time.pass(100)
    expect(changes).toHaveLength(1)
    expect(await tested.metric('portolan_registry_subscriptions')).toBe(0)
  })

  it('of a service that came and went never goes back in revision', async () => {
    const tested = await openTested()
    await register(tested, 'a')
    await tested.registry.deregister(nameOf('a'), owner)
    const gone = tested.registry.cursor
    expect(tested.registry.view(order)).toMatchObject({ cursor: gone, instances: [] })
    await register(tested, 'a')
    expect(tested.registry.view(order).cursor.revision).toBeGreaterThan(gone.revision)
  })
})

describe('a thousand subscribers', () => {
  it('cost one step a change, built once', async () => {
    const tested = await openTested()
    await Promise.all(Array.from({ length: 5000 }, (_, index) => register(tested, `i${index}`)))
    const steps = new Set<ViewChange>()
    let calls = 0
    for (let index = 0; index < 1000; index++) {
      tested.registry.subscribe(order, undefined, change => {
        steps.add(change)
        calls++
        return true
      })
    }
    for (let round = 0; round < 20; round++) {
      await register(tested, 'i7', { version: `${round}` })
      await tested.time.pass(60)
    }
    expect(calls).toBe(21_000)
    expect(steps.size).toBe(21)
  })
})
