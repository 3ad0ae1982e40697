import { PassThrough } from 'node:stream'
import { type Check, checkDefaults } from '@portolan/core'
import { pino } from 'pino'
import { afterEach, describe, expect, it } from 'vitest'
import { nameOf, order } from '../registry/testing/open-tested.ts'
import { openTested, pass, type Tested } from './testing/open-tested.ts'

const opened: Tested[] = []

afterEach(async () => {
  for (const tested of opened.splice(0)) await tested.close()
})

const eager: Check = { id: 'tcp', type: 'tcp', intervalMs: 200, timeoutMs: 150, rise: checkDefaults.rise }

interface Fleet {
  readonly lines?: string[]
  readonly freePerSecond?: number
  readonly size?: number
  readonly check?: Check
}

/** 100 instances, each in a session of its own that answers every 400 ms, until it is killed. */
async function openFleet({ lines = [], freePerSecond, size = 100, check = eager }: Fleet = {}) {
  const sink = new PassThrough().on('data', line => lines.push(String(line)))
  const limits = freePerSecond === undefined ? {} : { limits: { freePerSecond } }
  // As `portolan up` logs.
  const tested = await openTested({ log: pino({ level: 'warn' }, sink), ...limits })
  opened.push(tested)
  const { time, health, registry } = tested
  const heardAt = new Map<string, number>()
  health.hearing(({ id }) => {
    const at = heardAt.get(id)
    return at === undefined ? undefined : time.now() - at
  })
  const ids = Array.from({ length: size }, (_, index) => `i${index}`)
  const incarnations = new Map<string, number>()
  for (const id of ids) {
    registry.sessionOpened(id)
    incarnations.set(id, await tested.register(id, { checks: [check], session: id }))
  }
  const living = new Set(ids)
  /** Lets seconds pass; `requests` a second are reported by one gateway, spread over the living. */
  const run = async (seconds: number, requests: number): Promise<void> => {
    for (let step = 0; step < seconds * 5; step++) {
      if (step % 2 === 0) for (const id of living) heardAt.set(id, time.now())
      if (step % 5 === 0 && requests > 0) {
        const share = requests / living.size
        const outcomes = [...living].map(id => ({
          id,
          incarnation: incarnations.get(id) ?? 0,
          ok: share,
          failed: 0,
        }))
        health.reported('gateway', order, { overMs: 1000, outcomes })
      }
      await time.pass(200)
    }
  }
  const perSecond = async (seconds: number, requests: number): Promise<number> => {
    const before = tested.looks.length
    await run(seconds, requests)
    return (tested.looks.length - before) / seconds
  }
  return { ...tested, tested, ids, living, heardAt, run, perSecond }
}

describe('the budget of checks', () => {
  it('settles at a twentieth of the requests where sessions answer, and leaves nobody unprobed for 30 s', async () => {
    const { tested, run, perSecond, ids } = await openFleet()
    await run(15, 200)
    const from = tested.time.now()
    expect(await perSecond(60, 200)).toBeLessThanOrEqual(10.5)
    expect(await tested.metric('portolan_health_stretch_factor')).toBeGreaterThan(40)
    for (const id of ids) {
      const turns = tested.looks.filter(look => look.id === id && look.at >= from).map(({ at }) => at)
      const gaps = [...turns, tested.time.now()].map((at, index) => at - (turns[index - 1] ?? from))
      expect(Math.max(...gaps)).toBeLessThanOrEqual(30_300)
    }
    const [standing] = tested.health.why(nameOf('i1')).checks
    expect(standing?.intervalMs).toBe(200)
    expect(standing?.keptIntervalMs).toBeGreaterThan(8000)
  })

  it('keeps the floor without any traffic', async () => {
    const { tested, run, perSecond, ids } = await openFleet({ freePerSecond: 0 })
    await run(40, 0)
    const from = tested.time.now()
    const rate = await perSecond(60, 0)
    expect(rate).toBeGreaterThan(3)
    expect(rate).toBeLessThanOrEqual(4)
    for (const id of ids) {
      expect(tested.looks.filter(look => look.id === id && look.at >= from).length).toBeGreaterThanOrEqual(1)
    }
  })

  it('keeps to what is free without any traffic, and leaves nobody unprobed for 30 s', async () => {
    const { tested, run, perSecond, ids } = await openFleet()
    await run(40, 0)
    const from = tested.time.now()
    expect(await perSecond(60, 0)).toBeLessThanOrEqual(10.5)
    for (const id of ids) {
      expect(tested.looks.filter(look => look.id === id && look.at >= from).length).toBeGreaterThanOrEqual(2)
    }
  })

  it('looks at few instances nearly as often as asked for, however little traffic there is', async () => {
    const check: Check = { ...eager, intervalMs: 500 }
    const { tested, run, perSecond } = await openFleet({ size: 12, check })
    await run(15, 20)
    const rate = await perSecond(30, 20)
    expect(rate).toBeGreaterThan(9)
    expect(rate).toBeLessThanOrEqual(10.5)
    expect(tested.health.why(nameOf('i1')).checks[0]?.keptIntervalMs).toBeLessThanOrEqual(1250)
  })

  it('tells once in ten minutes that it is at its limit, and not each time that it crosses it', async () => {
    const lines: string[] = []
    const { run } = await openFleet({ lines, size: 2, freePerSecond: 0 })
    for (let times = 0; times < 3; times++) {
      await run(15, 0)
      await run(25, 1000)
    }
    expect(lines.map(line => (JSON.parse(line) as { event?: string }).event)).toEqual([
      'stretched',
      'unstretched',
    ])
  })

  it('probes at once whose signs of life end, and takes it out within a second of that', async () => {
    const { tested, run, living } = await openFleet()
    await run(30, 200)
    tested.answer = ({ instance }) => (instance.id === 'i7' ? 'silent' : pass)
    living.delete('i7')
    const killedAt = tested.time.now()
    tested.registry.sessionClosed('i7')
    await run(1, 200)
    const first = tested.looks.find(({ id, at }) => id === 'i7' && at >= killedAt)
    expect((first?.at ?? Number.POSITIVE_INFINITY) - killedAt).toBeLessThan(50)
    expect(tested.causes('i7')).toContain('tcp/tcp')
  })

  it('notices by itself that nobody speaks for an instance any more', async () => {
    const { tested, run, living, ids } = await openFleet()
    await run(30, 200)
    living.delete('i7')
    const from = tested.time.now()
    await run(4, 200)
    const seen = tested.looks.filter(({ id, at }) => id === 'i7' && at >= from)
    expect(seen[0]?.at).toBeLessThan(from + 2500)
    // From then on, as often as it asked for.
    expect(seen.length).toBeGreaterThan(5)
    expect(ids.length).toBe(100)
  })

  it('spreads those that began at the same moment over their longer interval, whatever that is', async () => {
    const { tested, run } = await openFleet({ freePerSecond: 0 })
    await run(35, 0)
    /** The most looks that began within one of so many seconds. */
    const peak = async (seconds: number, requests: number): Promise<number> => {
      const from = tested.looks.length
      const start = tested.time.now()
      await run(seconds, requests)
      const perSecond = new Array<number>(seconds + 1).fill(0)
      for (const { at } of tested.looks.slice(from)) {
        const second = Math.floor((at - start) / 1000)
        perSecond[second] = (perSecond[second] ?? 0) + 1
      }
      return Math.max(...perSecond)
    }
    // One check in 30 s each: 3.3 a second.
    expect(await peak(60, 0)).toBeLessThanOrEqual(12)
    // The business comes, and the interval gets shorter: nobody is in a hurry for that.
    await run(1, 200)
    expect(await peak(30, 200)).toBeLessThanOrEqual(25)
    await run(1, 100)
    expect(await peak(30, 100)).toBeLessThanOrEqual(25)
  })

  it('runs all as asked for once the business pays for it, and says both once', async () => {
    const lines: string[] = []
    const { run, perSecond } = await openFleet({ lines })
    await run(20, 200)
    await run(25, 12_000)
    expect(await perSecond(10, 12_000)).toBeGreaterThan(480)
    await run(5, 12_000)
    const said = lines.map(line => (JSON.parse(line) as { event?: string }).event).filter(Boolean)
    expect(said).toEqual(['stretched', 'unstretched'])
  })

  it('leaves time to those who come back after a start: a thousand checks a second for 15 s, and all as asked for then', async () => {
    const check: Check = { ...eager, intervalMs: 1000 }
    const { tested } = await openFleet({ size: 3000, check })
    await tested.time.pass(2000)
    const again = await tested.restart()
    opened.push(again)
    const perSecond = async (seconds: number): Promise<number> => {
      const before = again.looks.length
      await again.time.pass(seconds * 1000)
      return (again.looks.length - before) / seconds
    }
    await perSecond(3)
    const rate = await perSecond(10)
    expect(rate).toBeGreaterThan(800)
    expect(rate).toBeLessThan(1200)
    await perSecond(6)
    expect(await perSecond(10)).toBeGreaterThan(2800)
  })
})
