import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KeyedBuckets } from './keyed-buckets.ts'
import { TokenBucket } from './token-bucket.ts'

function takeAll(buckets: KeyedBuckets, key: string, now: number): number {
  let count = 0
  while (buckets.tryTake(key, now)) count++
  return count
}

describe('KeyedBuckets', () => {
  it('limits each key by itself', () => {
    const buckets = new KeyedBuckets({ qps: 10, burst: 3 }, 100)
    expect(takeAll(buckets, 'a', 0)).toBe(3)
    expect(takeAll(buckets, 'b', 0)).toBe(3)
    expect(buckets.waitMs('a', 0)).toBeCloseTo(100)
    expect(takeAll(buckets, 'a', 100)).toBe(1)
    expect(takeAll(buckets, 'b', 250)).toBe(2)
    expect(buckets.size).toBe(2)
  })

  it('puts back', () => {
    const buckets = new KeyedBuckets({ qps: 1, burst: 1 }, 2)
    expect(buckets.tryTake('a', 0)).toBe(true)
    buckets.putBack('a')
    expect(takeAll(buckets, 'a', 0)).toBe(1)
  })

  it('forgets the least recently used whose bucket is full again', () => {
    const buckets = new KeyedBuckets({ qps: 1, burst: 2 }, 2)
    buckets.tryTake('a', 0)
    buckets.tryTake('b', 10)
    buckets.tryTake('a', 20)
    // `b` is full again at 1010, `a` at 2000.
    expect(takeAll(buckets, 'c', 1500)).toBe(2)
    expect(takeAll(buckets, 'a', 1500)).toBe(1)
    expect(buckets.size).toBe(2)
  })

  it('lets keys share one bucket where there is none to forget', () => {
    const buckets = new KeyedBuckets({ qps: 1, burst: 2 }, 2)
    takeAll(buckets, 'a', 0)
    takeAll(buckets, 'b', 0)
    let passed = 0
    for (let count = 0; count < 1000; count++) if (buckets.tryTake(`new-${count}`, 1)) passed++
    expect(passed).toBe(2)
    expect(buckets.waitMs('another', 1)).toBeCloseTo(1000)
    expect(takeAll(buckets, 'a', 1000)).toBe(1)
    // Who was turned away finds a bucket of its own as soon as there is room.
    expect(takeAll(buckets, 'new-7', 2000)).toBe(2)
    expect(buckets.size).toBe(2)
  })

  it('goes on with another limit', () => {
    const buckets = new KeyedBuckets({ qps: 1, burst: 4 }, 10)
    expect(takeAll(buckets, 'a', 0)).toBe(4)
    buckets.configure({ qps: 10, burst: 4 }, 0)
    expect(buckets.waitMs('a', 0)).toBeCloseTo(100)
    expect(takeAll(buckets, 'a', 200)).toBe(2)
    buckets.configure({ qps: 10, burst: 1 }, 200)
    expect(takeAll(buckets, 'a', 400)).toBe(0)
    expect(takeAll(buckets, 'a', 600)).toBe(1)
  })

  it('does for each key what a token bucket does, as long as there is room', () => {
    const step = fc.record({
      after: fc.double({ min: 0, max: 3000, noNaN: true }),
      key: fc.constantFrom('', 'a', 'b', 'c', 'd'),
      tries: fc.nat(10),
    })
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 0, max: 9 }),
        fc.array(step),
        (qps, burst, steps) => {
          const limit = { qps, burst }
          const keyed = new KeyedBuckets(limit, 5)
          const each = new Map<string, TokenBucket>()
          let now = 1e6
          for (const { after, key, tries } of steps) {
            now += after
            const own = each.get(key) ?? new TokenBucket(limit, now)
            each.set(key, own)
            // Where the two round otherwise.
            if (Math.abs(own.tokens(now) - Math.round(own.tokens(now))) < 1e-4) now += 0.1
            for (let count = 0; count < tries; count++) {
              expect(keyed.tryTake(key, now)).toBe(own.tryTake(now))
            }
          }
        },
      ),
    )
  })

  it('never lets a key have more than its limit, however many there are', () => {
    const step = fc.record({ after: fc.nat(400), key: fc.nat(8) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), steps => {
        const buckets = new KeyedBuckets({ qps: 2, burst: 3 }, 3)
        const passed = new Map<number, number[]>()
        let now = 0
        for (const { after, key } of steps) {
          now += after
          if (!buckets.tryTake(`${key}`, now)) continue
          const times = passed.get(key) ?? []
          passed.set(key, [...times, now])
          // One that came through the shared bucket may begin anew with its own.
          const recent = [...times, now].filter(at => at > now - 1000)
          expect(recent.length).toBeLessThanOrEqual(2 * 3 + 2)
        }
        expect(buckets.size).toBeLessThanOrEqual(3)
      }),
    )
  })
})
