import { describe, expect, it } from 'vitest'
import type { ServicesStep } from './registry.ts'
import { nameOf, openTested, owner, record, register, type Tested } from './testing/open-tested.ts'

const minute = 60_000

function follow({ registry }: Tested): { readonly steps: ServicesStep[]; readonly stop: () => void } {
  const steps: ServicesStep[] = []
  const stop = registry.watchServices(step => steps.push(step))
  return { steps, stop }
}

const names = (step: ServicesStep | undefined) => step?.services.map(({ service }) => service)

describe('which services there are', () => {
  it('is told within the call, and then after each change', async () => {
    const tested = await openTested()
    await register(tested, 'a', { service: 'pay' })
    const { steps } = follow(tested)
    expect(steps).toEqual([{ services: [{ namespace: 'default', service: 'pay' }] }])
    await register(tested, 'a')
    await tested.time.pass(0)
    expect(names(steps[1])).toEqual(['order', 'pay'])
    expect(steps[1]?.since).toEqual({ put: [{ namespace: 'default', service: 'order' }], gone: [] })
    await register(tested, 'b')
    await tested.time.pass(minute)
    expect(steps).toHaveLength(2)
  })

  it('is told at once after quiet, and what follows goes together', async () => {
    const tested = await openTested()
    const { steps } = follow(tested)
    for (const service of ['a', 'b', 'c', 'd']) {
      await register(tested, 'i', { service })
      await tested.time.pass(0)
    }
    expect(steps.map(names)).toEqual([[], ['a']])
    await tested.time.pass(50)
    expect(steps.map(names)).toEqual([[], ['a'], ['a', 'b', 'c', 'd']])
    expect(steps[2]?.since?.put).toHaveLength(3)
  })

  it('is the very same step for all who are in step, and one list for those who come', async () => {
    const tested = await openTested()
    const [first, second] = [follow(tested), follow(tested)]
    await register(tested, 'a')
    await tested.time.pass(0)
    expect(first.steps[1]).toBe(second.steps[1])
    expect(follow(tested).steps[0]?.services).toBe(first.steps[1]?.services)
  })

  it('a watcher that comes between a change and its step has both, and the others have the step', async () => {
    const tested = await openTested()
    const early = follow(tested)
    await register(tested, 'a')
    const late = follow(tested)
    await tested.time.pass(100)
    expect(early.steps.map(names)).toEqual([[], ['order']])
    expect(late.steps.map(names)).toEqual([['order']])
  })

  it('a service is known for five minutes after its last instance has gone', async () => {
    const tested = await openTested()
    const { steps } = follow(tested)
    await register(tested, 'a', { tether: 'static' })
    await register(tested, 'b', { tether: 'static' })
    await tested.time.pass(100)
    await tested.registry.deregister(nameOf('a'), owner)
    await tested.registry.deregister(nameOf('b'), owner)
    await tested.time.pass(5 * minute - 1)
    expect(names(steps.at(-1))).toEqual(['order'])
    await tested.time.pass(100)
    expect(names(steps.at(-1))).toEqual([])
    expect(steps.at(-1)?.since?.gone).toEqual([{ namespace: 'default', service: 'order' }])
  })

  it('a name that is merely watched, or has nothing but an override, is not known', async () => {
    const tested = await openTested()
    const { steps } = follow(tested)
    record(tested, 'nowhere', 'p')
    await register(tested, 'a')
    await tested.registry.override(nameOf('a'), owner, { weight: 3 })
    await tested.registry.deregister(nameOf('a'), owner)
    await tested.time.pass(6 * minute)
    expect(steps.map(names)).toEqual([[], ['order'], []])
  })

  it('declared services are known, and those of the store from the start', async () => {
    const before = await openTested()
    await register(before, 'a', { tether: 'static' })
    const tested = await before.restart()
    tested.registry.declareServices([{ namespace: 'staging', service: 'pay' }])
    const { steps } = follow(tested)
    expect(names(steps[0])).toEqual(['order', 'pay'])
    tested.registry.declareServices([])
    await tested.time.pass(100)
    expect(names(steps.at(-1))).toEqual(['order'])
  })

  it('a watcher that throws is told no more, and harms nobody', async () => {
    const tested = await openTested()
    let calls = 0
    tested.registry.watchServices(() => {
      calls += 1
      throw new Error('mine')
    })
    const { steps } = follow(tested)
    await register(tested, 'a')
    await tested.time.pass(100)
    expect(calls).toBe(1)
    expect(steps).toHaveLength(2)
    expect(tested.logged).toMatchObject([{ loop: 'push' }])
  })

  it('nobody who watches costs no timer', async () => {
    const tested = await openTested()
    await register(tested, 'a', { tether: 'static' })
    const { waiting } = tested.time
    const { steps, stop } = follow(tested)
    await tested.registry.deregister(nameOf('a'), owner)
    await tested.time.pass(100)
    expect(tested.time.waiting).toBe(waiting + 1)
    stop()
    expect(tested.time.waiting).toBe(waiting)
    await register(tested, 'b')
    await tested.time.pass(100)
    expect(steps.map(names)).toEqual([['order']])
  })
})
