import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { virtualTime } from '../registry/testing/virtual-time.ts'
import { FairTime } from './fair-time.ts'
import type { Timed } from './wheel.ts'

function open() {
  const virtual = virtualTime()
  const lags: number[] = []
  const faults: unknown[] = []
  const time = new FairTime({
    clock: virtual,
    timers: virtual,
    onLag: ms => lags.push(ms),
    onFault: thrown => faults.push(thrown),
  })
  return { virtual, time, lags, faults }
}

function bell(ring: (now: number) => void): Timed {
  return { at: 0, previous: undefined, next: undefined, ring }
}

describe('fair time', () => {
  it('runs as the clock does, and rings in time, while we keep up', async () => {
    const { virtual, time, lags } = open()
    const rung: number[] = []
    time.plan(
      bell(now => rung.push(now)),
      500,
    )
    await virtual.pass(495)
    expect(rung).toEqual([])
    await virtual.pass(20)
    expect(rung).toEqual([500])
    expect(lags).toEqual([])
    expect(virtual.waiting).toBe(0)
  })

  it('stands still while our own loop does: a deadline moves by as much', async () => {
    const { virtual, time, lags } = open()
    const rung: number[] = []
    const plannedAt = virtual.now()
    time.attend()
    time.plan(
      bell(() => rung.push(virtual.now() - plannedAt)),
      200,
    )
    await virtual.pass(100)
    virtual.freeze(3000)
    // Before the late tick comes, too: whoever reads the time in between sees it stand.
    expect(time.now).toBeLessThanOrEqual(115)
    await virtual.pass(0)
    expect(rung).toEqual([])
    await virtual.pass(200)
    expect(rung[0]).toBeGreaterThanOrEqual(3000 + 180)
    expect(lags.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThan(2980)
  })

  it('never goes back, and is never ahead of the clock, however late ticks are', async () => {
    const step = fc.record({ isFrozen: fc.boolean(), ms: fc.integer({ min: 0, max: 40 }) })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async steps => {
        const { virtual, time } = open()
        const start = virtual.now()
        time.attend()
        time.plan(
          bell(() => {}),
          2000,
        )
        let last = time.now
        for (const { isFrozen, ms } of steps) {
          if (isFrozen) virtual.freeze(ms)
          else await virtual.pass(ms)
          const { now } = time
          expect(now).toBeGreaterThanOrEqual(last)
          expect(now).toBeLessThanOrEqual(virtual.now() - start)
          last = now
        }
        time.close()
      }),
      { numRuns: 60 },
    )
  })

  it('reads the sockets before it judges: what is called off meanwhile does not ring', async () => {
    const { virtual, time } = open()
    let rung = 0
    const deadline = bell(() => rung++)
    time.attend()
    time.plan(deadline, 100)
    // Immediates of the same moment run after I/O, where the answer is found.
    virtual.after(100, () => virtual.after(0, () => time.callOff(deadline)))
    await virtual.pass(300)
    expect(rung).toBe(0)
  })

  it('sleeps while nothing is due and nobody is under way, and wakes for what is planned sooner', async () => {
    const { virtual, time } = open()
    const rung: number[] = []
    let wakes = 0
    const after = virtual.after.bind(virtual)
    virtual.after = (ms, run) => {
      if (ms > 0) wakes++
      return after(ms, run)
    }
    time.plan(
      bell(now => rung.push(now)),
      2000,
    )
    await virtual.pass(1000)
    expect(wakes).toBeLessThanOrEqual(12)
    const from = time.now
    time.plan(
      bell(now => rung.push(now - from)),
      from + 20,
    )
    await virtual.pass(60)
    expect(rung[0]).toBeLessThanOrEqual(30)
    wakes = 0
    time.attend()
    await virtual.pass(500)
    expect(wakes).toBeGreaterThanOrEqual(45)
    time.relax()
    await virtual.pass(600)
    expect(rung[1]).toBeLessThanOrEqual(2010)
    expect(virtual.waiting).toBe(0)
  })

  it('goes on with the others when one of them throws', async () => {
    const { virtual, time, faults } = open()
    let rung = 0
    time.plan(
      bell(() => {
        throw new Error('ours')
      }),
      50,
    )
    time.plan(
      bell(() => rung++),
      50,
    )
    await virtual.pass(100)
    expect([rung, faults.length]).toEqual([1, 1])
  })

  it('is quiet after its close', async () => {
    const { virtual, time } = open()
    let rung = 0
    const one = bell(() => rung++)
    time.plan(one, 50)
    time.close()
    time.plan(one, 60)
    await virtual.pass(200)
    expect([rung, virtual.waiting]).toEqual([0, 0])
  })
})
