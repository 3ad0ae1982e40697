import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { UpstreamHealth } from './health.ts'

function failing(times: number, now = 0): UpstreamHealth {
  const health = new UpstreamHealth()
  for (let count = 0; count < times; count++) health.failed(now)
  return health
}

describe('the health of an upstream', () => {
  it('waits 400 ms before it knows anything, then by what round trips take', () => {
    const health = new UpstreamHealth()
    expect(health.patienceMs(0)).toBe(400)
    health.answered(100)
    expect(health.patienceMs(0)).toBe(300)
    for (let count = 0; count < 50; count++) health.answered(20)
    expect(health.roundTripMs).toBeCloseTo(20, 0)
    expect(health.patienceMs(0)).toBe(200)
  })

  it('waits twice as long each time, and never longer than two seconds', () => {
    const health = new UpstreamHealth()
    expect([0, 1, 2, 3].map(tried => health.patienceMs(tried))).toEqual([400, 800, 1600, 2000])
  })

  it('is out after three failures in a row, and for a second', () => {
    const health = failing(2)
    expect(health.standing(0)).toBe('in')
    expect(health.failed(0)).toBe(true)
    expect(health.standing(999)).toBe('out')
    expect(health.standing(1000)).toBe('trial')
  })

  it('forgets failures that an answer comes between', () => {
    const health = failing(2)
    health.answered(10)
    health.failed(0)
    health.failed(0)
    expect(health.standing(0)).toBe('in')
  })

  it('has one trial at a time, out for twice as long after each that fails', () => {
    const health = failing(3)
    health.beginTrial(1000)
    expect(health.standing(1100)).toBe('out')
    expect(health.failed(1400)).toBe(false)
    expect(health.standing(3399)).toBe('out')
    expect(health.standing(3400)).toBe('trial')
  })

  it('is not out for longer because of those that were under way', () => {
    const health = failing(100)
    expect(health.standing(1000)).toBe('trial')
  })

  it('is tried again though a trial was never heard of', () => {
    const health = failing(3)
    health.beginTrial(1000)
    expect(health.standing(1400)).toBe('trial')
  })

  it('is in again with the first answer', () => {
    const health = failing(3)
    expect(health.answered(5)).toBe(true)
    expect(health.standing(0)).toBe('in')
    expect(health.answered(5)).toBe(false)
  })

  it('is never out for longer than half a minute, and always waits 200 ms to 2 s', () => {
    const event = fc.oneof(
      fc.record({ kind: fc.constant('answered' as const), ms: fc.nat(10_000) }),
      fc.record({ kind: fc.constant('failed' as const), ms: fc.nat(60_000) }),
    )
    fc.assert(
      fc.property(fc.array(event), fc.nat(5), (events, tried) => {
        const health = new UpstreamHealth()
        let now = 0
        for (const { kind, ms } of events) {
          if (kind === 'answered') health.answered(ms)
          else {
            now += ms
            if (health.standing(now) === 'trial') health.beginTrial(now)
            health.failed(now)
          }
        }
        expect(health.standing(now + 30_000)).not.toBe('out')
        expect(health.patienceMs(tried)).toBeGreaterThanOrEqual(200)
        expect(health.patienceMs(tried)).toBeLessThanOrEqual(2000)
      }),
    )
  })
})
