import { describe, expect, it } from 'vitest'
import { seededRandom } from '../time/clock.ts'
import { type Demand, Fleet } from './testing/fleet.ts'

const limit = { qps: 1000, burst: 200 }
const none: Demand = () => 0

/** Three gateways that have been there for a while, with nothing to do. */
function three(): Fleet {
  const fleet = new Fleet(limit)
  for (let count = 0; count < 3; count++) fleet.join()
  fleet.run(5000, none)
  return fleet
}

/** How far off the plan, in parts of it. */
const off = (admitted: number, plan: number) => admitted / plan - 1

describe('a limit that three gateways share', () => {
  const tenSeconds = 10_000 + 200
  const patterns: Readonly<Record<string, Demand>> = {
    'evenly everywhere': () => 600,
    'at one gateway': index => (index === 1 ? 1800 : 0),
    'at two, unevenly': index => [1500, 200, 0][index] ?? 0,
    'with one that asks for little': index => [700, 600, 20][index] ?? 0,
    'wandering on every second': (index, now) => (Math.floor(now / 1000) % 3 === index ? 1800 : 0),
    'growing here and shrinking there': (index, now) => {
      const part = (now % 10_000) / 10_000
      return [2000 * part, 2000 * (1 - part), 300][index] ?? 0
    },
  }
  for (const [name, demand] of Object.entries(patterns)) {
    it(`lets pass what it says: ${name}`, () => {
      const fleet = three()
      const admitted = fleet.run(10_000, demand)
      console.info(
        `${name}: ${admitted} of ${tenSeconds} (${(100 * off(admitted, tenSeconds)).toFixed(2)} %)`,
      )
      expect(admitted).toBeLessThanOrEqual(tenSeconds + 1)
      expect(admitted).toBeGreaterThan(tenSeconds * 0.98)
      expect(fleet.mostShared).toBeLessThanOrEqual(1000 + 1e-6)
    })
  }

  it('follows all demand from one gateway to another within a second', () => {
    const fleet = three()
    fleet.run(5000, index => (index === 0 ? 1800 : 0))
    const moving: Demand = (index, now) => {
      const part = Math.min(1, (now - 10_000) / 1000)
      return [1800 * (1 - part), 1800 * part, 0][index] ?? 0
    }
    const admitted = fleet.run(10_000, moving)
    console.info(`moving within a second: ${admitted} of 10000`)
    expect(Math.abs(off(admitted, 10_000))).toBeLessThan(0.02)
  })

  it('follows it at once, too', () => {
    const fleet = three()
    fleet.run(10_000, () => 600)
    const admitted = fleet.run(10_000, index => (index === 2 ? 1800 : 0))
    console.info(`moving at once: ${admitted} of 10000`)
    expect(Math.abs(off(admitted, 10_000))).toBeLessThan(0.02)
  })

  it('turns nobody away while less is asked for, wherever', () => {
    const fleet = three()
    const random = seededRandom(3)
    let asked = 0
    const admitted = fleet.run(30_000, (index, now) => {
      const one = [500, 300, 0][(index + Math.floor(now / 10_000)) % 3] ?? 0
      const chance = one * 2 * random()
      asked += chance / 1000
      return chance
    })
    console.info(`four fifths asked for: ${admitted} of ${Math.round(asked)}`)
    expect(admitted).toBeGreaterThan(asked * 0.99)
  })

  it('gives a newcomer its part at once, and takes what one that is cut off had', () => {
    const fleet = new Fleet(limit)
    fleet.join()
    fleet.join()
    fleet.run(10_000, () => 1000)
    fleet.join()
    const [, , third] = fleet.gateways
    fleet.run(100, () => 1000)
    expect(third?.bucket.qps).toBeCloseTo(1000 / 3, 0)
    const [first] = fleet.gateways
    if (first !== undefined) first.cut = true
    fleet.run(4200, index => (index === 0 ? 0 : 1000))
    expect(third?.bucket.qps).toBeGreaterThan(490)
    // It keeps what it had.
    expect(first?.bucket.qps).toBeCloseTo(1000 / 3, 0)
    expect(fleet.mostShared).toBeLessThanOrEqual(1000 + 1e-6)
  })

  it('lets no more pass because the registry starts again', () => {
    const fleet = three()
    fleet.run(5000, () => 600)
    fleet.restartRegistry()
    const admitted = fleet.run(10_000, () => 600)
    expect(Math.abs(off(admitted, 10_000))).toBeLessThan(0.02)
  })

  it('is the plain bucket for one gateway', () => {
    const fleet = new Fleet(limit)
    fleet.join()
    fleet.run(2000, none)
    // What comes in the first of 10,000 milliseconds finds it full.
    expect(fleet.run(10_000, () => 5000)).toBe(10_199)
  })

  it('holds where it is less than one a second', () => {
    const fleet = new Fleet({ qps: 0.5, burst: 1 })
    for (let count = 0; count < 3; count++) fleet.join()
    fleet.run(5000, none)
    const admitted = fleet.run(100_000, index => (index === 0 ? 50 : 0))
    console.info(`half a request a second: ${admitted} in 100 s`)
    expect(admitted).toBeGreaterThanOrEqual(48)
    // Each gateway may hold one.
    expect(admitted).toBeLessThanOrEqual(53)
  })
})
