import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { maxPingsPerSecond, PingSchedule, pingInterval } from './ping-schedule.ts'

const times = { ping: 400, silent: 200, lease: 15_000 }
const all = Number.POSITIVE_INFINITY

describe('when sessions are pinged', () => {
  it('pings 400 ms after the last pong', () => {
    const schedule = new PingSchedule<string>(times)
    schedule.add('a', 0)
    expect(schedule.due(399, all)).toEqual([])
    expect(schedule.due(400, all)).toEqual(['a'])
    expect(schedule.due(1000, all)).toEqual([])
    expect(schedule.answered('a', 450)).toBe(false)
    expect(schedule.due(849, all)).toEqual([])
    expect(schedule.due(850, all)).toEqual(['a'])
  })

  it('calls a peer silent once, 200 ms after its ping, until it answers', () => {
    const schedule = new PingSchedule<string>(times)
    schedule.add('a', 0)
    schedule.due(400, all)
    expect(schedule.hasOverdue(599)).toBe(false)
    expect(schedule.fallenSilent(599)).toEqual([])
    expect(schedule.hasOverdue(600)).toBe(true)
    expect(schedule.fallenSilent(600)).toEqual(['a'])
    expect(schedule.fallenSilent(700)).toEqual([])
    expect(schedule.answered('a', 5000)).toBe(true)
    expect(schedule.answered('a', 5001)).toBe(false)
    expect(schedule.due(5400, all)).toEqual(['a'])
  })

  it('gives a silent peer up after the time of a lease', () => {
    const schedule = new PingSchedule<string>(times)
    schedule.add('a', 0)
    schedule.due(400, all)
    schedule.fallenSilent(600)
    expect(schedule.lost(15_399)).toEqual([])
    expect(schedule.lost(15_400)).toEqual(['a'])
    expect(schedule.size).toBe(0)
  })

  it('stretches the interval, so that all together get no more than 4,000 pings a second', () => {
    expect(pingInterval(400, 1)).toBe(400)
    expect(pingInterval(400, 1600)).toBe(400)
    expect(pingInterval(400, 8000)).toBe(2000)
    fc.assert(
      fc.property(fc.nat(1_000_000), count => {
        expect((count * 1000) / pingInterval(400, count)).toBeLessThanOrEqual(maxPingsPerSecond + 1e-6)
      }),
    )
  })

  it('keeps a rush within what a tick allows, first come first', () => {
    const schedule = new PingSchedule<number>(times)
    for (let peer = 0; peer < 200; peer++) schedule.add(peer, 0)
    expect(schedule.due(400, 80)).toEqual(Array.from({ length: 80 }, (_, peer) => peer))
    expect(schedule.due(420, 80)[0]).toBe(80)
    expect(schedule.due(440, 80)).toHaveLength(40)
  })

  it('names whoever answers always in time never silent, and pings each as often as promised', () => {
    const delays = fc.array(fc.integer({ min: 0, max: 199 }), { minLength: 1, maxLength: 30 })
    fc.assert(
      fc.property(delays, delayOf => {
        const schedule = new PingSchedule<number>(times)
        const pings = delayOf.map(() => 0)
        const pongs = new Map<number, number>()
        for (const peer of delayOf.keys()) schedule.add(peer, 0)
        for (let now = 0; now <= 6000; now += 10) {
          for (const [peer, at] of pongs) {
            if (at > now) continue
            pongs.delete(peer)
            expect(schedule.answered(peer, now)).toBe(false)
          }
          expect(schedule.fallenSilent(now)).toEqual([])
          for (const peer of schedule.due(now, all)) {
            pings[peer] = (pings[peer] ?? 0) + 1
            pongs.set(peer, now + (delayOf[peer] ?? 0))
          }
        }
        delayOf.forEach((delay, peer) => {
          expect(pings[peer]).toBeGreaterThanOrEqual(Math.floor(6000 / (400 + delay + 20)))
        })
      }),
    )
  })

  it('never names whoever was removed', () => {
    const step = fc.tuple(
      fc.constantFrom('add', 'remove', 'answered', 'tick'),
      fc.nat(5),
      fc.integer({ min: 1, max: 700 }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), steps => {
        const schedule = new PingSchedule<number>(times)
        const present = new Set<number>()
        let now = 0
        for (const [what, peer, later] of steps) {
          now += later
          if (what === 'add') present.add(peer)
          if (what === 'add') schedule.add(peer, now)
          if (what === 'remove') present.delete(peer)
          if (what === 'remove') schedule.remove(peer)
          if (what === 'answered') schedule.answered(peer, now)
          if (what !== 'tick') continue
          const named = [...schedule.due(now, all), ...schedule.fallenSilent(now)]
          for (const lost of schedule.lost(now)) present.delete(lost)
          for (const one of named) expect(present).toContain(one)
          expect(schedule.size).toBe(present.size)
        }
      }),
    )
  })
})
