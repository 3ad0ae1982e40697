import { checkDefaults, type HttpCheck, type TtlCheck } from '@portolan/core'
import { afterEach, describe, expect, it } from 'vitest'
import { nameOf, order } from '../registry/testing/open-tested.ts'
import { virtualTime } from '../registry/testing/virtual-time.ts'
import { openTested, pass, refuse, type Tested, type TestedOptions } from './testing/open-tested.ts'

const opened: Tested[] = []

async function open(options?: TestedOptions): Promise<Tested> {
  const tested = await openTested(options)
  opened.push(tested)
  return tested
}

afterEach(async () => {
  for (const tested of opened.splice(0)) await tested.close()
})

const http: HttpCheck = {
  ...{ id: 'http', type: 'http', method: 'GET', path: '/', headers: {}, statuses: [[200, 299]] },
  ...{ intervalMs: checkDefaults.intervalMs, timeoutMs: checkDefaults.timeoutMs, rise: checkDefaults.rise },
}
const ttl: TtlCheck = { id: 'ttl', type: 'ttl', intervalMs: 5000, timeoutMs: 500, rise: 1 }

const heartbeats = async ({ registry, time }: Tested, id: string, seconds: number): Promise<void> => {
  for (let second = 0; second < seconds; second++) {
    registry.renew(nameOf(id), { name: 'shop', admin: false })
    await time.pass(1000)
  }
}

describe('health checking', () => {
  it('gives a new instance traffic with its first pass, and looks at once', async () => {
    const tested = await open()
    await tested.register('a')
    expect(tested.causes('a')).toEqual(['starting/health'])
    await tested.time.pass(50)
    expect(tested.causes('a')).toEqual([])
    expect(tested.looks).toHaveLength(1)
  })

  it('waits with it for all checks, and keeps it out where one fails', async () => {
    const tested = await open({
      answer: ({ check }) => (check.type === 'http' ? { ...refuse, presence: 'spoke', reason: '503' } : pass),
    })
    await tested.register('a', { checks: [http, { ...http, id: 'tcp', type: 'tcp' }] })
    await tested.time.pass(1000)
    expect(tested.causes('a')).toEqual(['starting/health', 'http/http'])
    tested.answer = () => pass
    await tested.time.pass(1500)
    expect(tested.causes('a')).toEqual([])
  })

  it('takes out who does not answer after four fast re-checks, and back after two passes', async () => {
    const tested = await open()
    await tested.register('a')
    await heartbeats(tested, 'a', 3)
    tested.answer = () => 'silent'
    const from = tested.time.now()
    while (tested.causes('a').length === 0) await tested.time.pass(10)
    // At the latest: a whole interval, 200 ms to suspicion, 150 ms to the last re-check and 200 ms for it.
    expect(tested.time.now() - from).toBeLessThan(1050 + 200 + 150 + 200 + 50)
    expect(tested.causes('a')).toEqual(['tcp/tcp'])
    expect(tested.registry.find(nameOf('a'))?.causes[0]?.reason).toBe('no answer within 200ms (re-check)')

    tested.answer = () => pass
    await heartbeats(tested, 'a', 1)
    expect(tested.causes('a')).toEqual(['tcp/tcp'])
    await heartbeats(tested, 'a', 2)
    expect(tested.causes('a')).toEqual([])
    expect(tested.open).toBe(0)
  })

  it('forgives one lost probe', async () => {
    const tested = await open()
    await tested.register('a')
    await heartbeats(tested, 'a', 2)
    let lost = 0
    tested.answer = () => (lost++ === 0 ? 'silent' : pass)
    await heartbeats(tested, 'a', 3)
    expect(lost).toBeGreaterThan(2)
    expect(tested.causes('a')).toEqual([])
    expect(await tested.metric('portolan_health_outs_total')).toBe(0)
  })

  it('does not test what says that it wants no checks, nor what has no port for it', async () => {
    const tested = await open()
    await tested.register('a', { checks: [] })
    expect(tested.causes('a')).toEqual([])
    await tested.time.pass(3000)
    expect(tested.looks).toEqual([])
  })

  it('hears what an instance says of itself, and its silence', async () => {
    const tested = await open()
    const incarnation = await tested.register('a', { checks: [ttl] })
    expect(tested.causes('a')).toEqual(['starting/health'])
    tested.health.status(nameOf('a'), incarnation, { status: 'passing' })
    await tested.time.pass(10)
    expect(tested.causes('a')).toEqual([])
    tested.health.status(nameOf('a'), undefined, { status: 'critical', output: 'no database\nmore' })
    await tested.time.pass(10)
    expect(tested.registry.find(nameOf('a'))?.causes).toMatchObject([{ kind: 'ttl', reason: 'no database' }])
    tested.health.status(nameOf('a'), undefined, { status: 'passing', metrics: { load: 3 } })
    await tested.time.pass(10)
    expect(tested.causes('a')).toEqual([])
    expect(tested.health.why(nameOf('a')).checks).toMatchObject([{ phase: 'passing', metrics: { load: 3 } }])
    await heartbeats(tested, 'a', 6)
    expect(tested.causes('a')).toEqual(['ttl/ttl'])
    expect(() => tested.health.status(nameOf('b'), 1, { status: 'passing' })).toThrow(/no instance b/)
    expect(() => tested.health.status(nameOf('a'), 99, { status: 'passing' })).toThrow(/run 99/)
    expect(() => tested.health.status(nameOf('a'), undefined, { check: 'x', status: 'passing' })).toThrow(/x/)
  })

  it('says since when an instance is silent, and says the same for ever', async () => {
    const tested = await open()
    await tested.register('a', { checks: [ttl] })
    await tested.register('b', { checks: [ttl], tether: 'static' })
    const saidAt = tested.time.timeOfDay()
    tested.health.beat(nameOf('a'))
    await heartbeats(tested, 'a', 30)
    const reason = `it has not reported since ${saidAt}`
    expect(tested.registry.find(nameOf('a'))?.causes[0]?.reason).toBe(reason)
    expect(tested.health.why(nameOf('a')).checks[0]?.reason).toBe(reason)
    expect(tested.health.why(nameOf('b')).checks[0]?.reason).toBe(reason)
    opened.splice(0)
    const after = await tested.restart()
    opened.push(after)
    await heartbeats(after, 'a', 8)
    expect(after.health.why(nameOf('a')).checks[0]?.reason).toBe(reason)
  })

  it('tells the same times of the same events, however clocks are read', async () => {
    const time = virtualTime()
    const skew = { ms: 0 }
    const timeOfDay = () => new Date(Date.parse(virtual.timeOfDay()) + skew.ms).toISOString()
    const virtual = { ...time }
    const tested = await open({
      time: Object.assign(time, { timeOfDay }),
      answer: () => ({ ...refuse, presence: 'spoke', reason: '503' }),
    })
    await tested.register('a', { checks: [http], tether: 'static' })
    await tested.time.pass(5000)
    const { history, checks } = tested.health.why(nameOf('a'))
    expect(history.length).toBeGreaterThan(0)
    for (const ms of [1, -1, 2]) {
      skew.ms = ms
      expect(tested.health.why(nameOf('a'))).toMatchObject({
        history,
        checks: [{ lastAt: checks[0]?.lastAt }],
      })
    }
    // A clock that is set: what happened keeps its time, and what happens now has the new one.
    skew.ms = 3_600_000
    expect(tested.health.why(nameOf('a')).history).toEqual(history)
    const setAt = timeOfDay()
    tested.answer = () => pass
    await tested.time.pass(5000)
    const { history: later } = tested.health.why(nameOf('a'))
    expect(later.slice(0, history.length)).toEqual(history)
    expect(Date.parse(later.at(-1)?.at ?? '')).toBeGreaterThanOrEqual(Date.parse(setAt))
  })

  it('takes a heartbeat without a word for a pass of all its ttl checks', async () => {
    const tested = await open()
    await tested.register('a', { checks: [ttl, { ...ttl, id: 'jobs' }] })
    tested.health.beat(nameOf('a'))
    tested.health.beat(nameOf('b'))
    await tested.time.pass(10)
    expect(tested.causes('a')).toEqual([])
    await heartbeats(tested, 'a', 4)
    tested.health.beat(nameOf('a'))
    await heartbeats(tested, 'a', 4)
    expect(tested.causes('a')).toEqual([])
    await heartbeats(tested, 'a', 2)
    expect(tested.causes('a')).toEqual(['ttl/ttl', 'ttl/jobs'])
  })

  it('looks into what consumers report, and removes nobody for it', async () => {
    const tested = await open()
    const incarnation = await tested.register('a')
    await tested.time.pass(300)
    const before = tested.looks.length
    const outcomes = [{ id: 'a', incarnation, ok: 0, failed: 3, reason: 'ECONNRESET' }]
    tested.health.reported('gateway', order, { overMs: 10, outcomes })
    await tested.time.pass(20)
    expect(tested.looks.length).toBe(before + 1)
    expect(tested.causes('a')).toEqual([])
    const { history } = tested.health.why(nameOf('a'))
    expect(history).toContainEqual(
      expect.objectContaining({ by: 'gateway', what: expect.stringMatching(/ECONNRESET/) }),
    )
  })

  it('cannot be made to flood a network by reports', async () => {
    const tested = await open()
    const outcomes: { id: string; incarnation: number; ok: number; failed: number }[] = []
    for (let index = 0; index < 800; index++) {
      const id = `i${index}`
      outcomes.push({ id, incarnation: await tested.register(id), ok: 0, failed: 1 })
    }
    await tested.time.pass(2000)
    const before = tested.looks.length
    for (let times = 0; times < 10; times++) tested.health.reported('liar', order, { overMs: 1, outcomes })
    await tested.time.pass(20)
    expect(tested.looks.length - before).toBeGreaterThan(400)
    expect(tested.looks.length - before).toBeLessThan(600)
  })
})
