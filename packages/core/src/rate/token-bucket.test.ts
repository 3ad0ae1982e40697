import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TokenBucket } from './token-bucket.ts'

function takeAll(bucket: TokenBucket, now: number): number {
  let count = 0
  while (bucket.tryTake(now)) count++
  return count
}

describe('TokenBucket', () => {
  it('starts full, and gets qps a second up to burst', () => {
    const bucket = new TokenBucket({ qps: 1000, burst: 200 }, 50)
    expect(takeAll(bucket, 50)).toBe(200)
    expect(takeAll(bucket, 60)).toBe(10)
    expect(takeAll(bucket, 1_000_000)).toBe(200)
  })

  it('may start with less', () => {
    expect(takeAll(new TokenBucket({ qps: 1, burst: 10 }, 0, 3), 0)).toBe(3)
    expect(takeAll(new TokenBucket({ qps: 1, burst: 10 }, 0, 30), 0)).toBe(10)
    const owing = new TokenBucket({ qps: 1, burst: 10 }, 0, -2)
    expect(takeAll(owing, 2900)).toBe(0)
    expect(takeAll(owing, 3000)).toBe(1)
  })

  it('takes several, or nothing', () => {
    const bucket = new TokenBucket({ qps: 10, burst: 5 }, 0)
    expect(bucket.tryTake(0, 3)).toBe(true)
    expect(bucket.tryTake(0, 3)).toBe(false)
    expect(bucket.tokens(0)).toBe(2)
    expect(bucket.waitMs(0, 3)).toBe(100)
    expect(bucket.tryTake(100, 3)).toBe(true)
    bucket.putBack(3)
    expect(bucket.tryTake(100, 3)).toBe(true)
    expect(bucket.waitMs(100, 6)).toBe(Number.POSITIVE_INFINITY)
  })

  it('knows fractions of a request a second; without burst one passes at a time', () => {
    const bucket = new TokenBucket({ qps: 0.5, burst: 0 }, 0)
    expect(bucket.tryTake(0)).toBe(true)
    expect(bucket.waitMs(0)).toBe(2000)
    expect(bucket.tryTake(1999)).toBe(false)
    expect(bucket.tryTake(2000)).toBe(true)
  })

  it('says how long until the next, and is right about it', () => {
    const bucket = new TokenBucket({ qps: 3, burst: 1 }, 0)
    expect(bucket.tryTake(0)).toBe(true)
    const wait = bucket.waitMs(100)
    expect(bucket.tryTake(100 + wait - 0.001)).toBe(false)
    expect(bucket.tryTake(100 + wait + 0.001)).toBe(true)
  })

  it('goes on with what it has under another limit, and gives back what does not fit', () => {
    const bucket = new TokenBucket({ qps: 100, burst: 100 }, 0)
    expect(bucket.configure({ qps: 10, burst: 30 }, 0)).toBe(70)
    expect(takeAll(bucket, 0)).toBe(30)
    expect(bucket.configure({ qps: 1000, burst: 100 }, 50)).toBe(0)
    expect(bucket.tokens(50)).toBeCloseTo(0.5)
    bucket.add(60, 50)
    expect(takeAll(bucket, 50)).toBe(60)
    bucket.add(-10, 50)
    expect(takeAll(bucket, 60)).toBe(0)
    bucket.add(1e9, 60)
    expect(takeAll(bucket, 60)).toBe(100)
    expect(bucket.configure({ qps: 0, burst: 1 }, 60)).toBe(0)
    expect(bucket.waitMs(60)).toBe(Number.POSITIVE_INFINITY)
  })

  it('is exact over years of steps that no double can hold', () => {
    const year = 365 * 86_400_000
    const [qps, step] = [1 / 3, 86_400_000 / 7]
    const bucket = new TokenBucket({ qps, burst: 10_000 }, year, 0)
    let taken = 0
    let now = year
    for (let count = 0; now < 4 * year; count++) {
      now = year + count * step
      while (bucket.tryTake(now)) taken++
    }
    expect(taken).toBe(Math.floor(((now - year) / 1000) * qps + 1e-6))
  })

  it('is as exact where it counts to billions', () => {
    const bucket = new TokenBucket({ qps: 1e9, burst: 1e9 }, 0, 0)
    let taken = 0
    for (let second = 1; second <= 100_000; second++) {
      for (const n of [999_999_999, 1]) if (bucket.tryTake(second * 1000, n)) taken += n
    }
    expect(taken).toBe(1e14)
  })

  const history = fc.record({
    qps: fc.oneof(fc.double({ min: 0.01, max: 5, noNaN: true }), fc.integer({ min: 1, max: 2000 })),
    burst: fc.integer({ min: 0, max: 50 }),
    origin: fc.constantFrom(0, 1e3, 1e12),
    steps: fc.array(fc.record({ after: fc.double({ min: 0, max: 3000, noNaN: true }), tries: fc.nat(80) }), {
      maxLength: 40,
    }),
  })

  it('never lets pass more than burst + qps × t over any window', () => {
    fc.assert(
      fc.property(history, ({ qps, burst, origin, steps }) => {
        const bucket = new TokenBucket({ qps, burst }, origin)
        const passed: { readonly at: number; readonly count: number }[] = []
        let now = origin
        for (const { after, tries } of steps) {
          now += after
          let count = 0
          for (let index = 0; index < tries; index++) if (bucket.tryTake(now)) count++
          passed.push({ at: now, count })
        }
        for (let from = 0; from < passed.length; from++) {
          let sum = 0
          for (const { at, count } of passed.slice(from)) {
            sum += count
            const ms = at - (passed[from]?.at ?? 0)
            expect(sum).toBeLessThanOrEqual(Math.max(1, burst) + (qps * ms) / 1000 + 1e-6 * (1 + qps))
          }
        }
      }),
    )
  })

  it('never lets pass less where demand suffices', () => {
    fc.assert(
      fc.property(history, ({ qps, burst, origin, steps }) => {
        const bucket = new TokenBucket({ qps, burst }, origin)
        const capacity = Math.max(1, burst)
        let now = origin
        let passed = takeAll(bucket, now)
        for (const { after } of steps) {
          // So often that it never fills up.
          const ms = Math.min(after, ((capacity - 0.99) / qps) * 1000)
          now += ms
          passed += takeAll(bucket, now)
        }
        const all = capacity + (qps * (now - origin)) / 1000
        expect(passed).toBeGreaterThan(all - 1 - 1e-6 * (1 + qps))
      }),
    )
  })
})
