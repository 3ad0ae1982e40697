import type { Check } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import { openMemoryStore } from '../store/memory.ts'
import type { InstanceObserver, Verdict, Watched } from './registry.ts'
import { admin, nameOf, openTested, order, owner, register, type Tested } from './testing/open-tested.ts'
import { settle } from './testing/virtual-time.ts'

const tcp: Check = { type: 'tcp', id: 'tcp', intervalMs: 1000, timeoutMs: 500, rise: 2 }
const ttl: Check = { type: 'ttl', id: 'ttl', intervalMs: 5000, timeoutMs: 0, rise: 2 }

const instance = ({ registry }: Tested, id = 'a') => registry.find(nameOf(id))

function failing(incarnation: number, reason: string | undefined, owner = 'tcp'): Verdict {
  return { incarnation, owner, cause: { kind: 'tcp', reason } }
}

/** An observer that keeps what it is told. */
function observe({ registry }: Tested) {
  const told: (Watched | string)[] = []
  const events: string[] = []
  const observer: InstanceObserver = {
    present: watched => told.push(watched),
    gone: ({ id }) => told.push(`${id} gone`),
    happened: ({ id }, by, what) => events.push(`${id} ${by}: ${what}`),
  }
  return { told, events, stop: registry.observe(observer) }
}

describe('a new run that something will test', () => {
  it('begins with `starting`, in the commit of its registration', async () => {
    const tested = await openTested()
    const { cursor } = tested.registry
    await register(tested, 'a', { starting: 'no check has passed yet' })
    expect(tested.registry.cursor.revision).toBe(cursor.revision + 1)
    expect(instance(tested)?.causes).toMatchObject([
      { kind: 'starting', owner: 'health', reason: 'no check has passed yet' },
    ])
    expect(tested.registry.services()[0]?.healthy).toBe(0)
  })

  it('has traffic from its first pass on, and stays started over registrations and restarts', async () => {
    const before = await openTested({ answer: () => 'answered' })
    const { incarnation } = await register(before, 'a', { starting: 'untested' })
    await before.registry.judge(nameOf('a'), { incarnation, owner: 'tcp', started: true })
    expect(instance(before)?.causes).toEqual([])
    await register(before, 'a', { starting: 'untested', version: '2' })
    expect(instance(before)).toMatchObject({ incarnation, causes: [] })
    const after = await before.restart()
    await settle()
    expect(instance(after)).toMatchObject({ incarnation, causes: [] })
  })

  it('stays `starting` when it is registered again, or restored, before its first pass', async () => {
    const before = await openTested({ answer: () => 'answered' })
    await register(before, 'a', { starting: 'untested' })
    await register(before, 'a', { version: '2' })
    const after = await before.restart()
    await settle()
    expect(instance(after)?.causes.map(({ kind }) => kind)).toEqual(['starting'])
  })

  it('starts anew, whatever was said of the run before', async () => {
    const tested = await openTested()
    const first = await register(tested, 'a', { starting: 'untested' })
    await tested.registry.judge(nameOf('a'), failing(first.incarnation, 'refused'))
    const second = await register(tested, 'a', { starting: 'untested', port: 9090 })
    expect(instance(tested)?.causes.map(({ kind }) => kind)).toEqual(['starting'])
    await tested.registry.judge(nameOf('a'), { incarnation: first.incarnation, owner: 'tcp', started: true })
    expect(instance(tested)?.causes).toHaveLength(1)
    await tested.registry.judge(nameOf('a'), { ...second, owner: 'tcp', started: true })
    expect(instance(tested)?.causes).toEqual([])
  })
})

describe('a verdict', () => {
  it('sets a cause, says another reason, and lifts it, each check its own', async () => {
    const tested = await openTested()
    const { incarnation } = await register(tested, 'a')
    const { registry } = tested
    await registry.judge(nameOf('a'), failing(incarnation, 'refused'))
    await registry.judge(nameOf('a'), failing(incarnation, 'refused', 'tcp-2'))
    await registry.judge(nameOf('a'), failing(incarnation, 'silent'))
    expect(instance(tested)?.causes).toMatchObject([
      { kind: 'tcp', owner: 'tcp', reason: 'silent' },
      { kind: 'tcp', owner: 'tcp-2', reason: 'refused' },
    ])
    await registry.judge(nameOf('a'), failing(incarnation, undefined))
    await registry.judge(nameOf('a'), failing(incarnation, undefined, 'tcp-2'))
    expect(instance(tested)?.causes).toEqual([])
  })

  it('of an instance that is gone, or of another run, changes nothing', async () => {
    const tested = await openTested()
    const { incarnation } = await register(tested, 'a')
    const { cursor } = tested.registry
    await tested.registry.judge(nameOf('b'), failing(incarnation, 'refused'))
    await tested.registry.judge(nameOf('a'), failing(incarnation - 1, 'refused'))
    await tested.registry.judge(nameOf('a'), failing(incarnation + 1, 'refused'))
    expect(tested.registry.cursor).toEqual(cursor)
  })

  it('costs few commits, however many come at once', async () => {
    const tested = await openTested()
    const ids = Array.from({ length: 5000 }, (_, index) => `i${index}`)
    const registered = await Promise.all(ids.map(id => register(tested, id)))
    const { revision } = tested.registry.cursor
    await Promise.all(
      ids.map((id, index) =>
        tested.registry.judge(nameOf(id), failing(registered[index]?.incarnation ?? 0, 'refused')),
      ),
    )
    expect(tested.registry.services()[0]?.healthy).toBe(0)
    expect(tested.registry.cursor.revision - revision).toBe(10)
  })
})

describe('a degradation', () => {
  const degraded = (incarnation: number, factor: number, owner = 'http'): Verdict => ({
    incarnation,
    owner,
    degraded: { factor, reason: 'slow' },
  })

  it('lowers the weight by the lowest factor, and takes nobody out', async () => {
    const tested = await openTested()
    const { incarnation } = await register(tested, 'a', { weight: 8 })
    const { registry } = tested
    await registry.judge(nameOf('a'), degraded(incarnation, 0.5))
    await registry.judge(nameOf('a'), degraded(incarnation, 0.25, 'script'))
    expect(instance(tested)).toMatchObject({
      weight: 2,
      causes: [],
      degraded: [
        { owner: 'http', factor: 0.5, reason: 'slow' },
        { owner: 'script', factor: 0.25 },
      ],
    })
    await registry.judge(nameOf('a'), { incarnation, owner: 'script', degraded: 'lifted' })
    expect(instance(tested)?.weight).toBe(4)
    await registry.judge(nameOf('a'), { incarnation, owner: 'http', degraded: 'lifted' })
    expect(instance(tested)).toMatchObject({ weight: 8 })
    expect(instance(tested)).not.toHaveProperty('degraded')
  })

  it('keeps its time while it is said again, and takes another factor', async () => {
    const tested = await openTested()
    const { incarnation } = await register(tested, 'a')
    await tested.registry.judge(nameOf('a'), degraded(incarnation, 0.5))
    const since = instance(tested)?.degraded?.[0]?.since
    const { cursor } = tested.registry
    await tested.time.pass(1000)
    await tested.registry.judge(nameOf('a'), degraded(incarnation, 0.5))
    expect(tested.registry.cursor).toEqual(cursor)
    await tested.registry.judge(nameOf('a'), degraded(incarnation, 0.1))
    expect(instance(tested)?.degraded).toMatchObject([{ factor: 0.1, since }])
  })

  it('lowers an override, too, never to nothing, and leaves 0 alone', async () => {
    const tested = await openTested()
    const { incarnation } = await register(tested, 'a')
    await tested.registry.judge(nameOf('a'), degraded(incarnation, 0.5))
    await tested.registry.override(nameOf('a'), admin, { weight: 10 })
    expect(instance(tested)?.weight).toBe(5)
    await tested.registry.override(nameOf('a'), admin, { weight: 0.001 })
    expect(instance(tested)?.weight).toBe(0.001)
    await tested.registry.override(nameOf('a'), admin, { weight: 0 })
    expect(instance(tested)?.weight).toBe(0)
  })

  it('survives a restart, and is void for the next run', async () => {
    const before = await openTested({ answer: () => 'answered' })
    const { incarnation } = await register(before, 'a', { weight: 8 })
    await before.registry.judge(nameOf('a'), degraded(incarnation, 0.5))
    const after = await before.restart()
    await settle()
    expect(instance(after)).toMatchObject({ weight: 4, causes: [], degraded: [{ owner: 'http' }] })
    await register(after, 'a', { weight: 8, port: 9090 })
    expect(instance(after)).toMatchObject({ weight: 8 })
    expect(instance(after)).not.toHaveProperty('degraded')
  })
})

describe('records of before', () => {
  it('are read as they are: no checks, no degradation, no beginning', async () => {
    const store = openMemoryStore()
    const { incarnation, ...plain } = { ...(await registeredRecord()), held: { static: true } }
    const causes = [{ kind: 'tcp', owner: 'tcp', reason: 'refused', since: 'then' }]
    await store.commit({
      put: [
        { key: 'instances/default/order/a', value: JSON.stringify({ v: 1, record: plain }) },
        {
          key: 'causes/default/order/a',
          value: JSON.stringify({ v: 1, record: { incarnation, causes } }),
        },
      ],
    })
    const tested = await openTested({ store })
    expect(instance(tested)).toMatchObject({ weight: 1, causes })
    expect(instance(tested)).not.toHaveProperty('degraded')
  })

  async function registeredRecord() {
    const tested = await openTested()
    const { incarnation } = await register(tested, 'a')
    return { instance: tested.registry.find(nameOf('a')), incarnation }
  }
})

describe('an observer', () => {
  it('is told of what there is, what comes, what changes and what goes', async () => {
    const tested = await openTested()
    await register(tested, 'a', { checks: [tcp] })
    const { told, stop } = observe(tested)
    expect(told).toMatchObject([{ instance: { id: 'a' }, checks: [tcp], tether: 'lease' }])
    const { incarnation } = await register(tested, 'b', { tether: 'static' })
    expect(told.at(-1)).toMatchObject({ instance: { id: 'b' }, checks: undefined, tether: 'static' })
    await tested.registry.judge(nameOf('b'), failing(incarnation, 'refused'))
    expect(told.at(-1)).toMatchObject({ instance: { id: 'b', causes: [{ kind: 'tcp' }] } })
    await register(tested, 'a', { checks: [tcp, ttl] })
    expect(told.at(-1)).toMatchObject({ instance: { id: 'a' }, checks: [tcp, ttl] })
    await tested.registry.deregister(nameOf('a'), owner)
    expect(told.at(-1)).toBe('a gone')
    expect(told).toHaveLength(5)
    stop()
    await register(tested, 'c')
    expect(told).toHaveLength(5)
  })

  it('is not told of what changes nothing for it', async () => {
    const tested = await openTested()
    tested.registry.sessionOpened('s')
    tested.registry.sessionOpened('t')
    await register(tested, 'a', { session: 's', checks: [tcp] })
    const { told } = observe(tested)
    await register(tested, 'a', { session: 's', checks: [{ ...tcp }] })
    tested.registry.sessionClosed('s')
    tested.registry.sessionOpened('s')
    await settle()
    told.length = 0
    // Another session holds it from now on, in the same run.
    tested.registry.sessionClosed('s')
    await register(tested, 'a', { session: 't', checks: [tcp] })
    await settle()
    expect(told.filter(entry => typeof entry === 'string')).toEqual([])
    expect(told.length).toBeLessThanOrEqual(2)
    told.length = 0
    await tested.registry.override(nameOf('nobody'), admin, { weight: 2 }).catch(() => {})
    await tested.registry.override(nameOf('a'), admin, { weight: 1 })
    expect(told).toEqual([])
    expect(tested.registry.view(order).instances).toHaveLength(1)
  })

  it('hears what befell an instance', async () => {
    const tested = await openTested({ answer: () => 'refused' })
    tested.registry.sessionOpened('s')
    await register(tested, 'a', { session: 's' })
    const { events } = observe(tested)
    tested.registry.sessionSilent('s')
    tested.registry.sessionAnswered('s')
    tested.registry.sessionClosed('s')
    await settle()
    expect(events).toEqual([
      'a s: its session does not answer',
      'a s: its session answers again',
      'a s: its session closed without a goodbye',
      'a registry: removed: refused',
    ])
  })
})

describe('flap damping’s penalty', () => {
  const penalty = { value: 3, at: '2030-01-01T00:00:00.000Z' }
  const heldIn = (tested: Tested) => {
    const { told, stop } = observe(tested)
    stop()
    return told.flatMap(watched => (typeof watched === 'string' ? [] : (watched.held ?? [])))
  }
  const holding = (incarnation: number): Verdict => {
    return { incarnation, owner: 'tcp', cause: { kind: 'tcp', reason: 'refused', penalty } }
  }

  it('is kept with its cause over a restart, and goes with it', async () => {
    const before = await openTested({ answer: () => 'answered' })
    const { incarnation } = await register(before, 'a')
    await before.registry.judge(nameOf('a'), holding(incarnation))
    const after = await before.restart()
    await settle()
    expect(heldIn(after)).toEqual([{ owner: 'tcp', ...penalty }])
    expect(instance(after)).not.toHaveProperty('held')
    const { revision } = after.registry.cursor
    await after.registry.judge(nameOf('a'), holding(incarnation))
    expect(after.registry.cursor.revision).toBe(revision)
    await after.registry.judge(nameOf('a'), failing(incarnation, undefined))
    expect(heldIn(after)).toEqual([])
  })

  it('is not held against another run', async () => {
    const tested = await openTested()
    const { incarnation } = await register(tested, 'a')
    await tested.registry.judge(nameOf('a'), holding(incarnation))
    await register(tested, 'a', { port: 9090 })
    expect(heldIn(tested)).toEqual([])
  })
})
