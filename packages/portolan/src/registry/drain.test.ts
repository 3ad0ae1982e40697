import { describe, expect, it } from 'vitest'
import {
  admin,
  nameOf,
  openTested,
  order,
  owner,
  record,
  register,
  registrationOf,
} from './testing/open-tested.ts'
import { settle } from './testing/virtual-time.ts'

interface Draining {
  /** How it picks by what it hears; undefined: it looks on. */
  readonly picks?: string | undefined
  readonly graceMs?: number
}

async function draining({ picks, graceMs = 1000 }: Draining = {}) {
  const tested = await openTested({ settings: { leaseMs: 500 } })
  const { registry } = tested
  await register(tested, 'a', { tether: 'static' })
  const incarnation = registry.find(nameOf('a'))?.incarnation ?? 0
  const recorded = record(tested, 'order', picks)
  let drained: boolean | undefined
  const done = registry.drain(nameOf('a'), owner, graceMs).then(all => {
    drained = all
  })
  await settle()
  const { subscription } = recorded
  return {
    tested,
    registry,
    recorded,
    subscription,
    incarnation,
    done,
    drained: () => drained,
    acknowledge: (by = subscription) => by.acknowledge(registry.view(order).cursor),
    idle: (by = subscription) => by.idle('a', incarnation),
  }
}

describe('a drain right after the registry has started', () => {
  it('waits for those who picked before, until they have had the time to come back', async () => {
    const before = await openTested()
    await register(before, 'a', { tether: 'static' })
    const tested = await before.restart()
    const { registry, time } = tested
    const incarnation = registry.find(nameOf('a'))?.incarnation ?? 0
    let drained: boolean | undefined
    const done = registry.drain(nameOf('a'), owner, 10_000).then(all => {
      drained = all
    })
    await time.pass(1500)
    expect(drained).toBeUndefined()
    // It has picked by its last set until now, as its cursor tells.
    const late = registry.subscribe(order, { ...registry.cursor, revision: 1 }, () => true, { who: 'late' })
    await time.pass(5000)
    expect(drained).toBeUndefined()
    late.acknowledge(registry.view(order).cursor)
    late.idle('a', incarnation)
    await done
    expect(drained).toBe(true)
  })

  it('ends when nobody has come back, or the grace time is over; new instances need not wait', async () => {
    const before = await openTested()
    await register(before, 'a', { tether: 'static' })
    await register(before, 'b', { tether: 'static' })
    const { registry, time, ...rest } = await before.restart()
    await register({ registry, time, ...rest }, 'c', { tether: 'static' })
    expect(await registry.drain(nameOf('c'), owner, 10_000)).toBe(true)
    const drains = [registry.drain(nameOf('a'), owner, 10_000), registry.drain(nameOf('b'), owner, 100)]
    await time.pass(3000)
    expect(await Promise.all(drains)).toEqual([true, false])
  })
})

describe('drain', () => {
  it('is not waited for by more than a few at a time: each of them costs memory', async () => {
    const { registry, tested } = await draining({ picks: 'p' })
    const more = Array.from({ length: 100 }, () => registry.drain(nameOf('a'), owner, 3_600_000))
    const refused = await Promise.all(
      more.map(async drained => drained.then(() => 0).catch(() => 1)).slice(-60),
    )
    expect(refused).toEqual(Array.from({ length: 60 }, () => 1))
    await expect(registry.drain(nameOf('a'), owner, 1)).rejects.toMatchObject({ code: 'too_many' })
    await registry.deregister(nameOf('a'), owner)
    await tested.time.pass(10)
    await register(tested, 'a')
    const again = registry.drain(nameOf('a'), owner, 100)
    await tested.time.pass(200)
    expect(await again).toBe(false)
  })

  it('waits until everybody picks without the instance, and has no request under way to it', async () => {
    const { tested, recorded, subscription, done, drained, acknowledge, idle } = await draining({
      picks: 'p',
    })
    await tested.time.pass(10)
    expect(recorded.changes.at(-1)).toMatchObject({ put: [{ id: 'a', causes: [{ kind: 'draining' }] }] })
    subscription.acknowledge({ epoch: 'another', revision: 99 })
    await settle()
    expect(drained()).toBeUndefined()
    acknowledge()
    await settle()
    expect(drained()).toBeUndefined()
    idle()
    await done
    expect(drained()).toBe(true)
  })

  it('takes no answer for one that speaks of another run, or came before the acknowledgement', async () => {
    const { subscription, incarnation, done, drained, acknowledge, idle } = await draining({ picks: 'p' })
    idle()
    acknowledge()
    subscription.idle('a', incarnation - 1)
    subscription.idle('b', incarnation)
    await settle()
    expect(drained()).toBeUndefined()
    idle()
    await done
    expect(drained()).toBe(true)
  })

  it('does not wait for those who said goodbye, or look on, or never had it without the drain', async () => {
    const left = await draining({ picks: 'p' })
    left.subscription.close()
    await left.done
    expect(left.drained()).toBe(true)

    const looksOn = await draining()
    await looksOn.done
    expect(looksOn.drained()).toBe(true)

    const late = await draining({ picks: 'p' })
    record(late.tested, 'order', 'late')
    late.acknowledge()
    late.idle()
    await late.done
    expect(late.drained()).toBe(true)
  })

  it('waits for one that comes from elsewhere with a set that may lack the drain', async () => {
    const { tested, registry, subscription, done, drained, acknowledge, idle } = await draining({
      picks: 'p',
    })
    const moved = registry.subscribe(order, { epoch: 'another', revision: 7 }, () => true, { who: 'moved' })
    acknowledge()
    idle()
    await settle()
    expect(drained()).toBeUndefined()
    acknowledge(moved)
    idle(moved)
    await done
    expect(drained()).toBe(true)
    subscription.close()
    expect(await tested.metric('portolan_registry_subscriptions')).toBe(1)
  })

  it('waits for one whose connection broke until it is back and has answered', async () => {
    const { tested, registry, subscription, done, drained, acknowledge, idle } = await draining({
      picks: 'p',
    })
    subscription.close('broken')
    await tested.time.pass(400)
    expect(drained()).toBeUndefined()
    const back = registry.subscribe(order, { epoch: 'another', revision: 7 }, () => true, { who: 'p' })
    // The time in which it could be resumed counts no more.
    await tested.time.pass(400)
    expect(drained()).toBeUndefined()
    acknowledge(back)
    idle(back)
    await done
    expect(drained()).toBe(true)
  })

  it('waits for one whose connection broke before the drain, and not beyond the time to resume', async () => {
    const tested = await openTested({ settings: { leaseMs: 500 } })
    await register(tested, 'a', { tether: 'static' })
    record(tested, 'order', 'p').subscription.close('broken')
    let drained: boolean | undefined
    const done = tested.registry.drain(nameOf('a'), owner, 10_000).then(all => {
      drained = all
    })
    await tested.time.pass(499)
    expect(drained).toBeUndefined()
    await tested.time.pass(1)
    await done
    expect(drained).toBe(true)
    expect(tested.time.waiting).toBe(1)
  })

  it('does not wait for a broken connection of a process that has ended', async () => {
    for (const first of ['exit', 'break'] as const) {
      const { registry, subscription, done, drained } = await draining()
      const name = { namespace: 'default', service: 'stock' }
      await registry.register({
        registration: registrationOf('s', name),
        principal: owner,
        source: 'process',
        tether: 'process',
      })
      const consumer = registry.subscribe(order, { epoch: 'another', revision: 7 }, () => true, {
        who: 'p',
        owner: owner.name,
      })
      subscription.close()
      await done
      expect(drained()).toBe(true)
      let again: boolean | undefined
      const second = registry.drain(nameOf('a'), owner, 10_000).then(all => {
        again = all
      })
      const exit = () => registry.deregister({ ...name, id: 's' }, owner, { reason: 'exited' })
      if (first === 'exit') await exit()
      await settle()
      expect(again).toBeUndefined()
      consumer.close('broken')
      await settle()
      expect(again).toBe(first === 'exit' ? true : undefined)
      if (first === 'break') await exit()
      await second
      expect(again).toBe(true)
    }
  })

  it('hears a connection that another one of the same session has replaced, and does not miss it', async () => {
    const { registry, subscription, done, drained, acknowledge, idle } = await draining({ picks: 'p' })
    const next = registry.subscribe(order, undefined, () => true, { who: 'p' })
    subscription.close()
    await settle()
    expect(drained()).toBeUndefined()
    acknowledge(next)
    idle(next)
    await done
    expect(drained()).toBe(true)
  })

  it('asked for again is answered by what was said already', async () => {
    const { registry, done, acknowledge, idle } = await draining({ picks: 'p' })
    acknowledge()
    idle()
    await done
    expect(await registry.drain(nameOf('a'), owner, 1000)).toBe(true)
  })

  it('asked for after an undrain is a new one', async () => {
    const { tested, registry, done, acknowledge, idle } = await draining({ picks: 'p' })
    acknowledge()
    idle()
    await done
    await registry.undrain(nameOf('a'), owner)
    let drained: boolean | undefined
    const again = registry.drain(nameOf('a'), owner, 1000).then(all => {
      drained = all
    })
    await tested.time.pass(10)
    acknowledge()
    await settle()
    expect(drained).toBeUndefined()
    idle()
    await again
    expect(drained).toBe(true)
  })

  it('is over as soon as the instance is gone', async () => {
    const { registry, done, drained } = await draining({ picks: 'p' })
    await registry.deregister(nameOf('a'), owner, { reason: 'exited' })
    await done
    expect(drained()).toBe(true)
  })

  it('is over with the grace time', async () => {
    const { tested, registry, done, drained, acknowledge } = await draining({ picks: 'p' })
    acknowledge()
    await tested.time.pass(999)
    expect(drained()).toBeUndefined()
    await tested.time.pass(1)
    await done
    expect(drained()).toBe(false)
    expect(await tested.metrics.metrics()).toMatch(/drain_seconds_sum\{released="false"\} 1\n/)
    expect(registry.find(nameOf('a'))?.causes).toMatchObject([{ kind: 'draining' }])
    await registry.report(nameOf('a'), { kind: 'http', owner: 'check', reason: '503' })
    await expect(registry.undrain(nameOf('a'), { name: 'stranger', admin: false })).rejects.toMatchObject({
      code: 'forbidden',
    })
    expect(await registry.undrain(nameOf('a'), admin)).toMatchObject({ causes: [{ kind: 'http' }] })
  })

  it('that was lifted is no success, and is over at once', async () => {
    const { registry, done, drained } = await draining({ picks: 'p' })
    await registry.undrain(nameOf('a'), owner)
    await done
    expect(drained()).toBe(false)
  })
})
