import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { heard, silenceLimit, startSilence, tick } from './silence.ts'

describe('silence', () => {
  test('adds up until somebody is heard', () => {
    let silence = startSilence(0)
    for (const now of [400, 800, 1200]) silence = tick(silence, now, 400)
    expect(silence.forMs).toBe(1200)
    expect(heard(silence)).toEqual({ forMs: 0, tickedAt: 1200 })
  })

  test('a registry that pings every 400 ms is gone after 2 s', () => {
    expect(silenceLimit(400)).toBe(2000)
  })

  test('a busy event loop of our own is held against nobody', () => {
    const silence = tick(startSilence(0), 60_000, 400)
    expect(silence.forMs).toBe(600)
  })

  test('never exceeds the time that has passed, and ends even under steady lag', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 400, max: 2000 }), { minLength: 10 }), gaps => {
        let now = 0
        let silence = startSilence(now)
        for (const gap of gaps) {
          now += gap
          silence = tick(silence, now, 400)
          expect(silence.forMs).toBeLessThanOrEqual(now)
        }
        expect(silence.forMs).toBeGreaterThanOrEqual(400 * gaps.length)
      }),
    )
  })
})
