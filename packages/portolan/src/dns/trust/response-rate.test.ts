import { seededRandom } from '@portolan/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ResponseRate, type ResponseRateRules, responseRateDefaults } from './response-rate.ts'

const key = Uint8Array.from({ length: 16 }, (_, index) => index)
const limiter = (rules: Partial<ResponseRateRules> = {}) =>
  new ResponseRate({ ...responseRateDefaults, ...rules }, key)

const v4 = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes)
const v6 = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.padEnd(32, '0'), 'hex'))

/** A network's number, so that its addresses differ in the first 24 bits. */
const network = (index: number): Uint8Array => v4(index >> 16, (index >> 8) & 255, index & 255, 7)

describe('response rate limiting', () => {
  it('lets a burst pass, then so many a second', () => {
    const rate = limiter({ perSecond: 10, burst: 5 })
    const victim = v4(203, 0, 113, 9)
    const answersAt = (now: number) => {
      let answers = 0
      for (let query = 0; query < 50; query++) if (rate.take(victim, now) === 'answer') answers++
      return answers
    }
    expect([0, 50, 100, 200, 1000, 60_000].map(answersAt)).toEqual([5, 0, 1, 1, 5, 5])
  })

  it('counts a /24 and a /56 as one', () => {
    const rate = limiter({ perSecond: 1, burst: 1 })
    expect(rate.take(v4(203, 0, 113, 1), 0)).toBe('answer')
    expect(rate.take(v4(203, 0, 113, 254), 0)).not.toBe('answer')
    expect(rate.take(v4(203, 0, 114, 1), 0)).toBe('answer')
    expect(rate.take(v6('20010db8000000aa01'), 0)).toBe('answer')
    expect(rate.take(v6('20010db8000000ffff'), 0)).not.toBe('answer')
    expect(rate.take(v6('20010db8000001'), 0)).toBe('answer')
  })

  it.each([
    [0, ['drop', 'drop', 'drop', 'drop', 'drop', 'drop']],
    [1, ['slip', 'slip', 'slip', 'slip', 'slip', 'slip']],
    [2, ['drop', 'slip', 'drop', 'slip', 'drop', 'slip']],
    [3, ['drop', 'drop', 'slip', 'drop', 'drop', 'slip']],
  ])('lets every %i. one slip', (slip, expected) => {
    const rate = limiter({ perSecond: 1, burst: 1, slip })
    expect(rate.take(v4(203, 0, 113, 1), 0)).toBe('answer')
    expect(expected.map(() => rate.take(v4(203, 0, 113, 1), 0))).toEqual(expected)
  })

  it('wants a table of a power of two', () => {
    for (const networks of [0, 2, 6, 1000]) expect(() => limiter({ networks })).toThrow(RangeError)
  })

  it('never gives a network more than rate × t + burst, whoever else comes, in a table far too small', () => {
    // In quick succession, with pauses in which some buckets fill up and others do not.
    const gap = fc.oneof(
      { weight: 8, arbitrary: fc.nat(2) },
      { weight: 1, arbitrary: fc.integer({ min: 20, max: 600 }) },
    )
    const arrival = fc.record({ gap, from: fc.nat(7) })
    const rules = fc.record({
      perSecond: fc.integer({ min: 1, max: 10 }),
      burst: fc.integer({ min: 1, max: 4 }),
    })
    fc.assert(
      fc.property(rules, fc.array(arrival, { minLength: 50, maxLength: 400 }), (rule, arrivals) => {
        const rate = limiter({ ...rule, networks: 4 })
        const answered = new Map<number, number[]>()
        let now = 0
        for (const { gap, from } of arrivals) {
          now += gap
          if (rate.take(network(from), now) !== 'answer') continue
          const times = answered.get(from) ?? []
          answered.set(from, times)
          times.push(now)
          // Over every stretch that ends here.
          for (const [index, start] of times.entries()) {
            const most = rule.burst + (rule.perSecond * (now - start)) / 1000 + 1e-3
            expect(times.length - index).toBeLessThanOrEqual(most)
          }
        }
      }),
      { numRuns: 300 },
    )
  })

  it('gives a network alone all that it may have', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 2, max: 100 }), (perSecond, burst) => {
        const rate = limiter({ perSecond, burst })
        let answers = 0
        for (let now = 0; now <= 2000; now += 0.5) if (rate.take(network(1), now) === 'answer') answers++
        expect(answers).toBeGreaterThanOrEqual(Math.floor(burst + perSecond * 2) - 1)
      }),
      { numRuns: 50 },
    )
  })

  it('takes as much memory after ten million invented networks as before, and forgets nobody who owes', () => {
    const rate = limiter({ perSecond: 1, burst: 1 })
    const victim = v4(203, 0, 113, 9)
    const { bytes } = rate
    expect(bytes).toBeLessThan(2 ** 21)
    rate.take(victim, 0)
    const invented = new Uint8Array(16)
    let random = 1
    let answers = 0
    // All within the second that the victim has to wait.
    for (let query = 0; query < 10_000_000; query++) {
      // Marsaglia's xorshift, as the dice would take longer than what is tested.
      random ^= random << 13
      random ^= random >>> 17
      random ^= random << 5
      for (let at = 0; at < 4; at++) invented[at] = random >>> (at * 8)
      invented[4] = query
      rate.take(invented, query / 1e4)
      if (query % 100_000 === 0 && rate.take(victim, query / 1e4) === 'answer') answers++
    }
    expect(rate.bytes).toBe(bytes)
    expect(answers).toBe(0)
    expect(rate.take(victim, 3000)).toBe('answer')
  }, 60_000)

  it('takes nothing from others when one network is flooded', () => {
    const rate = limiter({ perSecond: 20, burst: 20 })
    let refused = 0
    for (let now = 0; now < 2000; now += 1) {
      for (let query = 0; query < 100; query++) rate.take(network(1), now)
      // Five thousand others, one query a second each.
      for (let other = 0; other < 5; other++) {
        if (rate.take(network(2 + (((now % 1000) * 5 + other) % 5000)), now) !== 'answer') refused++
      }
    }
    expect(refused).toBe(0)
  })

  it('takes from others no more than their share of the table when all addresses are forged', () => {
    const rate = limiter({ perSecond: 20, burst: 20 })
    const dice = seededRandom(3)
    let [asked, refused] = [0, 0]
    for (let now = 0; now < 3000; now += 1) {
      for (let query = 0; query < 500; query++) rate.take(network(dice() * 2 ** 24), now)
      for (let other = 0; other < 5; other++) {
        asked++
        if (rate.take(network(2 ** 23 + (((now % 1000) * 5 + other) % 5000)), now) !== 'answer') refused++
      }
    }
    // 500,000 a second, each of which holds its bucket for 50 ms: 25,000 of 65,536 are taken.
    expect(refused / asked).toBeLessThan(0.001)
  })
})
