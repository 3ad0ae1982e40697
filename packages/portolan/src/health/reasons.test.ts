import { type Check, checkDefaults, type HttpCheck } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import { nameOf } from '../registry/testing/open-tested.ts'
import { pass, refuse, type Tested } from './testing/open-tested.ts'
import { opener } from './testing/opened.ts'

const { opened, open, keep } = opener()

const http: HttpCheck = {
  ...{ id: 'http', type: 'http', method: 'GET', path: '/', headers: {}, statuses: [[200, 299]] },
  ...{ intervalMs: 1000, timeoutMs: 500, rise: checkDefaults.rise },
}
const failing = (reason: string) => () => ({ ...refuse, presence: 'spoke' as const, reason })
const reasonsOf = (tested: Tested) => (tested.registry.find(nameOf('a'))?.causes ?? []).map(it => it.reason)
const standingOf = (tested: Tested) => tested.health.why(nameOf('a')).checks[0]

const until = async (tested: Tested, condition: () => boolean, withinMs = 10_000): Promise<void> => {
  const from = tested.time.now()
  while (!condition()) {
    if (tested.time.now() - from > withinMs) throw new Error(`not within ${withinMs} ms`)
    await tested.time.pass(10)
  }
}

const takeOut = async (tested: Tested, reason = '503'): Promise<void> => {
  tested.answer = failing(reason)
  await until(tested, () => tested.causes('a').includes('http/http'))
}

describe('the reason of a cause', () => {
  it('follows what the check finds, once in ten seconds', async () => {
    const tested = await open()
    await tested.register('a', { checks: [http], tether: 'static' })
    await tested.time.pass(100)
    await takeOut(tested)
    const since = tested.registry.find(nameOf('a'))?.causes[0]?.since
    tested.answer = failing('404')
    await tested.time.pass(5000)
    expect(reasonsOf(tested)).toEqual(['503'])
    await tested.time.pass(6500)
    expect(reasonsOf(tested)).toEqual(['404'])
    expect(tested.registry.find(nameOf('a'))?.causes[0]?.since).toBe(since)

    let count = 0
    tested.answer = () => failing(`failure ${count++}`)()
    const { revision } = tested.registry.cursor
    await tested.time.pass(60_000)
    expect(count).toBeGreaterThan(50)
    expect(tested.registry.cursor.revision - revision).toBeLessThanOrEqual(6)
    expect(tested.registry.cursor.revision - revision).toBeGreaterThanOrEqual(5)
  })

  it('is no other for another time-out, nor while it passes again', async () => {
    const tested = await open()
    await tested.register('a', { checks: [{ ...http, rise: 30 }], tether: 'static' })
    await tested.time.pass(100)
    tested.answer = () => 'silent'
    await until(tested, () => tested.causes('a').length > 0)
    const { revision } = tested.registry.cursor
    await tested.time.pass(30_000)
    tested.answer = () => pass
    await tested.time.pass(20_000)
    expect(reasonsOf(tested)).toEqual(['no answer within 200ms (re-check)'])
    expect(tested.registry.cursor.revision).toBe(revision)
  })

  it('of a new instance is true also when its checks have run, and failed', async () => {
    const tested = await open({ answer: failing('503') })
    await tested.register('a', { checks: [http], tether: 'static' })
    expect(reasonsOf(tested)).toEqual(['its checks have not passed yet'])
    await until(tested, () => tested.causes('a').includes('http/http'))
    expect(reasonsOf(tested)).toEqual(['its checks have not passed yet', '503'])
  })
})

describe('a critical check that passes', () => {
  it('says how often', async () => {
    const tested = await open()
    await tested.register('a', { checks: [{ ...http, rise: 3 }], tether: 'static' })
    await tested.time.pass(100)
    await takeOut(tested)
    expect(standingOf(tested)).toMatchObject({ phase: 'critical', reason: '503' })
    tested.answer = () => pass
    const seen = new Set<string>()
    await until(tested, () => {
      seen.add(standingOf(tested)?.reason ?? '')
      return tested.causes('a').length === 0
    })
    expect([...seen].slice(0, 3)).toEqual(['503', 'passed 1 of 3', 'passed 2 of 3'])
  })

  it('says until when it is held', async () => {
    const tested = await open()
    await tested.register('a', { checks: [http], tether: 'static' })
    await holdBack(tested)
    const { reason, heldUntil } = standingOf(tested) ?? {}
    expect(reason).toBe(`passes, held back until ${heldUntil}`)
    expect(Date.parse(heldUntil ?? '')).toBeGreaterThan(Date.parse(tested.time.timeOfDay()))
  })
})

/** Out three times: it passes again, and is out still. */
async function holdBack(tested: Tested): Promise<void> {
  await tested.time.pass(100)
  for (let times = 0; times < 3; times++) {
    await takeOut(tested)
    tested.answer = () => pass
    await tested.time.pass(5000)
  }
  expect(tested.causes('a')).toEqual(['http/http'])
}

describe('a restart of the registry', () => {
  it('leaves a critical check its reason', async () => {
    const before = await open()
    await before.register('a', { checks: [http], tether: 'static' })
    await before.time.pass(100)
    await takeOut(before, 'answered 503')
    opened.splice(0)
    const after = keep(await before.restart())
    expect(standingOf(after)).toMatchObject({ phase: 'critical', reason: 'answered 503' })
  })

  it('lets nobody go who is held, and counts the time that it took', async () => {
    const before = await open()
    await before.register('a', { checks: [http], tether: 'static' })
    await holdBack(before)
    const { heldUntil = '', penalty = 0 } = standingOf(before) ?? {}
    opened.splice(0)
    const { time } = before
    const after = keep(await before.restart({ answer: () => pass }))
    await time.pass(3000)
    expect(after.causes('a')).toEqual(['http/http'])
    expect(Math.abs(Date.parse(standingOf(after)?.heldUntil ?? '') - Date.parse(heldUntil))).toBeLessThan(50)
    expect(standingOf(after)?.penalty).toBeLessThan(penalty)
    await until(after, () => after.causes('a').length === 0, 60_000)
    expect(Date.parse(time.timeOfDay())).toBeGreaterThanOrEqual(Date.parse(heldUntil))
    // What is lifted is forgotten: it does not hold the next one.
    opened.splice(0)
    const again = keep(await after.restart({ answer: () => pass }))
    expect(standingOf(again)?.penalty).toBe(0)
  })

  it('knows nothing of those who merely were out once', async () => {
    const before = await open()
    const check: Check = http
    await before.register('a', { checks: [check], tether: 'static' })
    await before.time.pass(100)
    await takeOut(before)
    opened.splice(0)
    const after = keep(await before.restart({ answer: () => pass }))
    await after.time.pass(2200)
    expect(after.causes('a')).toEqual([])
  })
})
