import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Random, seededRandom } from '../time/clock.ts'
import { ConcurrencyLimiter } from './limiter.ts'

/** A service with so many slots that each take so long, in virtual time, behind a limiter. */
class World {
  now = 0
  slots: number
  meanMs: number
  readonly limiter: ConcurrencyLimiter
  readonly #random: Random
  /** When each that is under way will be over, and since when it is there; ordered by the former. */
  readonly #ends: { at: number; from: number }[] = []
  readonly #waiting: number[] = []
  #busy = 0
  taken = 0
  shed = 0
  done = 0
  sumMs = 0

  constructor(slots: number, meanMs: number, seed = 1) {
    this.slots = slots
    this.meanMs = meanMs
    this.#random = seededRandom(seed)
    this.limiter = new ConcurrencyLimiter(this.#random)
  }

  /** Requests come by chance, so many a second, whatever becomes of them. */
  run(seconds: number, perSecond: number): this {
    const end = this.now + seconds * 1000
    let next = this.now + this.#gap(perSecond)
    while (this.now < end) {
      const first = this.#ends[0]
      if (first !== undefined && first.at <= next) this.#finish(first)
      else {
        this.now = next
        next += this.#gap(perSecond)
        this.#arrive()
      }
    }
    return this
  }

  /** Forgets what was counted. */
  fresh(): this {
    this.taken = this.shed = this.done = this.sumMs = 0
    return this
  }

  #gap(perSecond: number): number {
    return (-Math.log(1 - this.#random()) * 1000) / perSecond
  }

  #arrive(): void {
    if (!this.limiter.tryTake()) {
      this.shed++
      return
    }
    this.taken++
    if (this.#busy < this.slots) this.#serve(this.now)
    else this.#waiting.push(this.now)
  }

  #serve(from: number): void {
    this.#busy++
    const at = this.now + this.meanMs * (0.5 + this.#random())
    const index = this.#ends.findIndex(end => end.at > at)
    this.#ends.splice(index < 0 ? this.#ends.length : index, 0, { at, from })
  }

  #finish({ at, from }: { at: number; from: number }): void {
    this.#ends.shift()
    this.now = at
    this.#busy--
    this.done++
    this.sumMs += at - from
    this.limiter.answered(at, at - from)
    const next = this.#waiting.shift()
    if (next !== undefined) this.#serve(next)
  }
}

describe('ConcurrencyLimiter', () => {
  it('turns nobody away from a service that has time', () => {
    const world = new World(40, 20)
    world.run(5, 1000).fresh().run(60, 1000)
    expect(world.shed / (world.shed + world.taken)).toBeLessThan(0.001)
    expect(world.sumMs / world.done).toBeLessThan(22)
  })

  it.each([
    [10, 10],
    [40, 20],
    [200, 50],
  ])('keeps a service of %d slots at %d ms busy, and its answers short, whatever comes', (slots, ms) => {
    const capacity = (slots * 1000) / ms
    const world = new World(slots, ms)
    world
      .run(20, 3 * capacity)
      .fresh()
      .run(120, 3 * capacity)
    expect(world.done / 120 / capacity).toBeGreaterThan(0.95)
    expect(world.sumMs / world.done).toBeLessThan(2.5 * ms)
  })

  it('lets all in again when the rush is over', () => {
    const world = new World(40, 20)
    world.run(30, 8000).run(2, 1000).fresh().run(30, 1000)
    expect(world.shed / (world.shed + world.taken)).toBeLessThan(0.001)
  })

  it('follows a service that becomes slower, with less under way meanwhile, and faster again', () => {
    const world = new World(40, 20)
    world.run(30, 4000)
    world.slots = 10
    world.run(5, 4000).fresh().run(60, 4000)
    expect(world.done / 60 / 500).toBeGreaterThan(0.95)
    expect(world.sumMs / world.done).toBeLessThan(60)
    world.slots = 40
    world.run(5, 4000).fresh().run(60, 4000)
    expect(world.done / 60 / 2000).toBeGreaterThan(0.95)
  })

  it('learns that answers take longer now, though the service is never idle', () => {
    const world = new World(40, 20)
    world.run(30, 4000)
    world.meanMs = 60
    world.run(120, 4000).fresh().run(60, 4000)
    expect(world.limiter.unloadedMs).toBeGreaterThan(45)
    expect(world.done / 60 / (40_000 / 60)).toBeGreaterThan(0.95)
  })

  it('lets go when nothing is answered in time', () => {
    const limiter = new ConcurrencyLimiter(seededRandom(1))
    for (let now = 0; now < 2000; now += 5) if (limiter.tryTake()) limiter.answered(now, 5)
    const before = limiter.limit
    for (let now = 2000; now < 6000; now += 100) {
      while (limiter.tryTake()) {}
      for (let count = 0; count < 5; count++) limiter.answered(now, 1000)
    }
    expect(limiter.limit).toBeLessThan(before / 2)
  })

  it('keeps a part for what matters more', () => {
    const limiter = new ConcurrencyLimiter(seededRandom(1))
    let low = 0
    while (limiter.tryTake(0.8)) low++
    let high = 0
    while (limiter.tryTake()) high++
    expect([low, high]).toEqual([16, 4])
    limiter.left()
    expect(limiter.tryTake(0.8)).toBe(false)
    expect(limiter.tryTake()).toBe(true)
  })

  it('stays within its bounds, and counts right, whatever happens', () => {
    const event = fc.record({
      after: fc.nat(400),
      ms: fc.double({ min: 0, max: 1e5, noNaN: true }),
      takes: fc.nat(30),
    })
    fc.assert(
      fc.property(fc.array(event, { maxLength: 200 }), fc.nat(1000), (events, seed) => {
        const limiter = new ConcurrencyLimiter(seededRandom(seed), { min: 3, max: 50, tolerance: 1.5 })
        let now = 0
        let underWay = 0
        for (const { after, ms, takes } of events) {
          now += after
          for (let count = 0; count < takes; count++) if (limiter.tryTake()) underWay++
          expect(limiter.underWay).toBe(underWay)
          for (; underWay > takes / 2; underWay--) limiter.answered(now, ms)
          expect(limiter.limit).toBeGreaterThanOrEqual(3)
          expect(limiter.limit).toBeLessThanOrEqual(50)
        }
      }),
    )
  })
})
