import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { advance, aliveFrom } from './alive-time.ts'
import { Leases } from './leases.ts'

describe('leases', () => {
  it('end exactly for those who were not heard for their length, whatever the order of events', () => {
    const event = fc.record({
      holder: fc.integer({ min: 0, max: 9 }),
      after: fc.integer({ min: 0, max: 40 }),
      stops: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(event, { maxLength: 100 }), events => {
        const leases = new Leases<number>(100)
        const heardAt = new Map<number, number>()
        let now = 0
        for (const { holder, after, stops } of events) {
          now += after
          if (stops) {
            leases.stop(holder)
            heardAt.delete(holder)
          } else {
            leases.start(holder, now)
            heardAt.set(holder, now)
          }
          const over = [...heardAt].filter(([, at]) => now - at >= 100).map(([id]) => id)
          expect(new Set(leases.expired(now))).toEqual(new Set(over))
          expect(leases.size).toBe(heardAt.size)
        }
      }),
    )
  })

  it('are overdue after two thirds', () => {
    const leases = new Leases<string>(15_000)
    leases.start('a', 0)
    expect(leases.isOverdue('a', 10_000)).toBe(false)
    expect(leases.isOverdue('a', 10_001)).toBe(true)
    expect(leases.isOverdue('b', 10_001)).toBe(false)
  })
})

describe('alive time', () => {
  it('counts what was planned, and not what a check came late', () => {
    let time = aliveFrom(1000)
    time = advance(time, 1240, 250)
    expect(time).toMatchObject({ alive: 240, wasLate: false })
    time = advance(time, 1640, 250)
    expect(time).toMatchObject({ alive: 490, wasLate: false })
    time = advance(time, 61_640, 250)
    expect(time).toMatchObject({ alive: 740, wasLate: true })
    expect(advance(time, 61_890, 250)).toMatchObject({ alive: 990, wasLate: false })
  })

  it('never runs ahead of the clock', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(100_000)), elapsed => {
        let time = aliveFrom(0)
        let now = 0
        for (const ms of elapsed) {
          now += ms
          time = advance(time, now, 250)
          expect(time.alive).toBeLessThanOrEqual(now)
        }
      }),
    )
  })
})
