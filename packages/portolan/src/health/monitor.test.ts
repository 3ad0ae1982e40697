import { type Check, checkDefaults, type HttpCheck, type ScriptCheck } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import { admin, nameOf } from '../registry/testing/open-tested.ts'
import { pass, refuse, type Tested } from './testing/open-tested.ts'
import { opener } from './testing/opened.ts'

const { opened, open, keep } = opener()

const times = {
  intervalMs: checkDefaults.intervalMs,
  timeoutMs: checkDefaults.timeoutMs,
  rise: checkDefaults.rise,
}
const tcp: Check = { id: 'tcp', type: 'tcp', ...times }
const http: HttpCheck = {
  ...{ id: 'http', type: 'http', method: 'GET', path: '/', headers: {}, statuses: [[200, 299]], ...times },
}
const failing = (reason: string) => ({ ...refuse, presence: 'spoke' as const, reason })

const until = async (tested: Tested, condition: () => boolean, withinMs = 10_000): Promise<number> => {
  const from = tested.time.now()
  while (!condition()) {
    if (tested.time.now() - from > withinMs) throw new Error(`not within ${withinMs} ms`)
    await tested.time.pass(10)
  }
  return tested.time.now() - from
}

describe('who is tested by what', () => {
  it('its own checks win over the configuration’s, and those over a TCP connect', async () => {
    const tested = await open({ checks: ({ service }) => (service === 'cart' ? [http] : undefined) })
    await tested.register('a')
    await tested.register('b', { service: 'cart' })
    await tested.register('c', { service: 'cart', checks: [tcp] })
    await tested.register('d', { service: 'cart', checks: [] })
    await tested.time.pass(100)
    expect(tested.looks.map(({ id, check }) => `${id} ${check}`).sort()).toEqual(['a tcp', 'b http', 'c tcp'])
  })

  it('forgets who has left, with all that was under way', async () => {
    const tested = await open({ answer: () => 'silent' })
    await tested.register('a')
    await tested.time.pass(50)
    expect(tested.open).toBe(1)
    await tested.registry.deregister(nameOf('a'), admin)
    expect(tested.open).toBe(0)
    await tested.time.pass(3000)
    expect(tested.looks).toHaveLength(1)
    expect(tested.health.why(nameOf('a'))).toEqual({ checks: [], history: [] })
  })

  it('a new run begins anew: the causes of the last one are not its', async () => {
    const tested = await open()
    await tested.register('a')
    await tested.time.pass(1500)
    tested.answer = () => refuse
    await until(tested, () => tested.causes('a').includes('tcp/tcp'))
    tested.answer = () => pass
    await tested.register('a', { port: 8081 })
    expect(tested.causes('a')).toEqual(['starting/health'])
    expect(await until(tested, () => tested.causes('a').length === 0)).toBeLessThan(50)
    expect(tested.health.why(nameOf('a')).checks[0]).toMatchObject({ phase: 'passing', penalty: 0 })
  })
})

describe('a reload', () => {
  it('lets equal checks go on, gives new ones no vote until they ran, and lifts the causes of those that are gone', async () => {
    const tested = await open({
      checks: () => [tcp, http],
      answer: ({ check }) => (check.type === 'http' ? failing('503') : pass),
    })
    await tested.register('a')
    await until(tested, () => tested.causes('a').includes('http/http'))
    const before = tested.health.why(nameOf('a')).checks.find(({ id }) => id === 'tcp')
    const looked = tested.looks.length
    tested.health.configure(() => [{ ...tcp }, { ...http, id: 'other', path: '/other' }])
    await tested.time.pass(0)
    // `starting` goes on: not all that is to test it now has passed.
    expect(tested.causes('a')).toEqual(['starting/health'])
    const after = tested.health.why(nameOf('a')).checks
    expect(after.find(({ id }) => id === 'tcp')).toEqual({ ...before, keptIntervalMs: 1000 })
    expect(after.find(({ id }) => id === 'other')?.phase).toBe('new')
    await tested.time.pass(100)
    expect(tested.looks.slice(looked).every(({ check }) => check === 'other')).toBe(true)
    tested.health.configure(() => [tcp])
    await tested.time.pass(10)
    expect(tested.causes('a')).toEqual([])
    tested.health.configure(() => [])
    await tested.time.pass(10)
    const last = tested.looks.length
    await tested.time.pass(3000)
    expect(tested.looks).toHaveLength(last)
  })

  it('leaves those alone that brought their own', async () => {
    const tested = await open({ checks: () => [tcp] })
    await tested.register('a', { checks: [http] })
    await tested.time.pass(100)
    tested.health.configure(() => [{ ...tcp, intervalMs: 5000 }])
    expect(tested.health.why(nameOf('a')).checks.map(({ id }) => id)).toEqual(['http'])
  })
})

describe('a restart', () => {
  it('keeps who was well, and asks two passes of whom a check had taken out', async () => {
    const before = await open({ answer: ({ instance }) => (instance.id === 'b' ? failing('503') : pass) })
    await before.register('a', { checks: [http], tether: 'static' })
    await before.register('b', { checks: [http], tether: 'static' })
    await until(before, () => before.causes('b').includes('http/http'))
    opened.splice(0)
    const after = keep(await before.restart({ answer: () => pass }))
    expect(after.causes('a')).toEqual([])
    expect(after.causes('b')).toContain('http/http')
    expect(after.health.why(nameOf('b')).checks[0]).toMatchObject({ phase: 'critical' })
    const tookMs = await until(after, () => after.causes('b').length === 0)
    expect(tookMs).toBeGreaterThan(500)
    expect(tookMs).toBeLessThan(2200)
  })

  it('lifts, too, what a check found whose verdict was on its way when it went', async () => {
    const ttl: Check = { id: 'self', type: 'ttl', ...times, intervalMs: 60_000, rise: 1 }
    const tested = await open({ checks: () => [ttl] })
    await tested.register('a')
    tested.health.status(nameOf('a'), undefined, { status: 'passing' })
    await tested.time.pass(100)
    tested.health.status(nameOf('a'), undefined, { status: 'critical' })
    tested.health.configure(() => [])
    await tested.time.pass(100)
    expect(tested.causes('a')).toEqual([])

    tested.health.configure(() => [ttl])
    tested.health.status(nameOf('a'), undefined, { status: 'critical' })
    await tested.time.pass(100)
    expect(tested.causes('a')).toEqual(['ttl/self'])
    // The second word waits for the first one's commit, and finds its check gone.
    tested.health.status(nameOf('a'), undefined, { status: 'passing' })
    tested.health.status(nameOf('a'), undefined, { status: 'critical' })
    tested.health.configure(() => [])
    await tested.time.pass(100)
    expect(tested.causes('a')).toEqual([])
  })

  it('lifts what a check had found that the new configuration does not have', async () => {
    const before = await open({ checks: () => [http], answer: () => failing('503') })
    await before.register('a', { tether: 'static' })
    await until(before, () => before.causes('a').includes('http/http'))
    opened.splice(0)
    const after = keep(await before.restart({ checks: () => [], answer: () => pass }))
    await after.time.pass(10)
    expect(after.causes('a')).toEqual([])
  })
})

describe('what lowers a weight', () => {
  it('is a warning, for as long as it lasts', async () => {
    const tested = await open()
    const script: ScriptCheck = { ...times, id: 'db', type: 'script', command: ['/bin/true'] }
    await tested.register('a', { checks: [script] })
    await tested.time.pass(200)
    tested.answer = () => ({ ...pass, status: 'warning', reason: 'disk is nearly full' })
    await until(tested, () => (tested.registry.find(nameOf('a'))?.degraded ?? []).length > 0)
    expect(tested.registry.find(nameOf('a'))).toMatchObject({
      weight: 0.5,
      causes: [],
      degraded: [{ owner: 'db', factor: 0.5, reason: 'disk is nearly full' }],
    })
    expect(tested.health.why(nameOf('a')).checks).toMatchObject([{ phase: 'warning' }])
    expect(await tested.metric('portolan_health_checks', { phase: 'warning' })).toBe(1)
    tested.answer = () => pass
    await until(tested, () => tested.registry.find(nameOf('a'))?.degraded === undefined)
    expect(tested.registry.find(nameOf('a'))?.weight).toBe(1)
  })

  it('is an answer that takes long on average, and a metric above its limit', async () => {
    const tested = await open()
    const degraded = { latencyMs: 100, metric: { name: 'queue', above: 10 }, weight: 0.2 }
    await tested.register('a', { checks: [{ ...http, degraded }] })
    await tested.time.pass(3000)
    const weight = () => tested.registry.find(nameOf('a'))?.weight
    expect(weight()).toBe(1)
    tested.answer = () => ({ ...pass, latencyMs: 150 })
    await until(tested, () => weight() === 0.2)
    tested.answer = () => pass
    await until(tested, () => weight() === 1)
    tested.answer = () => ({ ...pass, metrics: { queue: 11 } })
    await until(tested, () => weight() === 0.2)
  })
})

describe('flap damping', () => {
  const flap = async (tested: Tested, ids: readonly string[]): Promise<void> => {
    tested.answer = ({ instance }) => (ids.includes(instance.id) ? refuse : pass)
    await until(tested, () => ids.every(id => tested.causes(id).includes('tcp/tcp')))
    tested.answer = () => pass
    await until(tested, () => ids.every(id => tested.causes(id).length === 0), 200_000)
  }

  it('keeps out whom three failures in a minute have taken out, and says until when', async () => {
    const tested = await open()
    for (const id of ['a', 'b', 'c']) await tested.register(id, { tether: 'static' })
    await tested.time.pass(500)
    await flap(tested, ['a'])
    await flap(tested, ['a'])
    const from = tested.time.now()
    tested.answer = ({ instance }) => (instance.id === 'a' ? refuse : pass)
    await until(tested, () => tested.causes('a').includes('tcp/tcp'))
    tested.answer = () => pass
    await tested.time.pass(5000)
    const [standing] = tested.health.why(nameOf('a')).checks
    expect(standing?.penalty).toBeGreaterThan(2)
    expect(Date.parse(standing?.heldUntil ?? '')).toBeGreaterThan(Date.parse(tested.time.timeOfDay()))
    expect(await tested.metric('portolan_health_checks', { phase: 'critical' })).toBe(1)
    expect(await tested.metric('portolan_health_held')).toBe(1)
    await until(tested, () => tested.causes('a').length === 0, 60_000)
    expect(tested.time.now() - from).toBeGreaterThan(15_000)
  })

  it('counts nothing that befell more than half of a service together', async () => {
    const tested = await open()
    const ids = ['a', 'b', 'c']
    for (const id of ids) await tested.register(id, { tether: 'static' })
    await tested.time.pass(500)
    const from = tested.time.now()
    for (let times = 0; times < 4; times++) await flap(tested, ids)
    // Damped, they would have been out for a minute and more.
    expect(tested.time.now() - from).toBeLessThan(25_000)
    for (const id of ids) expect(tested.health.why(nameOf(id)).checks[0]?.penalty).toBeLessThan(2)
  })
})

describe('a program that dies', () => {
  it('is looked at again soon, too, when it was the look of its turn that it answered once more', async () => {
    const tested = await open()
    await tested.register('a', { tether: 'static' })
    await tested.time.pass(1500)
    const incarnation = tested.registry.find(nameOf('a'))?.incarnation ?? 0
    // Re-checks are not answered, and the look that is under way is, just yet.
    tested.answer = ({ fresh }) => (fresh ? 'silent' : { ...pass, latencyMs: 40 })
    const before = tested.looks.length
    await until(tested, () => tested.looks.length > before)
    const outcomes = [{ id: 'a', incarnation, ok: 0, failed: 1, reason: 'connection ended' }]
    tested.health.reported('gateway', { namespace: 'default', service: 'order' }, { overMs: 1, outcomes })
    await tested.time.pass(60)
    tested.answer = () => refuse
    await tested.time.pass(350)
    expect(tested.causes('a')).toEqual(['tcp/tcp'])
  })

  it('and answers once more when consumers see it fail is looked at again soon', async () => {
    const tested = await open()
    await tested.register('a', { tether: 'static' })
    await tested.time.pass(1500)
    const incarnation = tested.registry.find(nameOf('a'))?.incarnation ?? 0
    const outcomes = [{ id: 'a', incarnation, ok: 0, failed: 1, reason: 'connection ended' }]
    tested.health.reported('gateway', { namespace: 'default', service: 'order' }, { overMs: 1, outcomes })
    await tested.time.pass(30)
    expect(tested.health.why(nameOf('a')).history.at(-1)?.what).toMatch(/^suspect: requests fail/)
    tested.answer = () => refuse
    await tested.time.pass(400)
    expect(tested.causes('a')).toEqual(['tcp/tcp'])
  })
})

describe('why', () => {
  it('tells the last 32 events, the newest last', async () => {
    const tested = await open()
    await tested.register('a', { tether: 'static' })
    await tested.time.pass(100)
    expect(tested.health.why(nameOf('a')).history).toEqual([])
    tested.answer = () => refuse
    await until(tested, () => tested.causes('a').length > 0)
    const { history } = tested.health.why(nameOf('a'))
    expect(history.map(({ by, what }) => `${by}: ${what}`)).toEqual([
      'tcp: suspect: refused',
      'tcp: out: refused',
    ])
    const incarnation = tested.registry.find(nameOf('a'))?.incarnation ?? 0
    for (let count = 0; count < 40; count++) {
      const outcomes = [{ id: 'a', incarnation, ok: 0, failed: count + 1 }]
      tested.health.reported('gateway', { namespace: 'default', service: 'order' }, { overMs: 1, outcomes })
      await tested.time.pass(1100)
    }
    const last = tested.health.why(nameOf('a')).history
    expect(last).toHaveLength(32)
    expect(last.at(-1)?.what).toBe('40 of 40 requests failed')
  })
})
