import { describe, expect, it } from 'vitest'
import { seededRandom } from '../time/clock.ts'
import { DemandMeter } from './demand-meter.ts'

/** So many as chance brings where `mean` come on average (Knuth). */
function poisson(mean: number, random: () => number): number {
  const end = Math.exp(-mean)
  let count = 0
  for (let product = random(); product > end; product *= random()) count++
  return count
}

describe('DemandMeter', () => {
  it('knows nothing at first, and then the mean of a second', () => {
    const meter = new DemandMeter()
    expect(meter.tell()).toBe(0)
    expect(meter.tick(30, 50)).toBe(true)
    expect(meter.tell()).toBe(600)
    for (let count = 0; count < 20; count++) expect(meter.tick(count % 2 === 0 ? 25 : 35, 50)).toBe(false)
    expect(meter.tell()).toBe(600)
  })

  it('takes chance for chance', () => {
    const random = seededRandom(7)
    const meter = new DemandMeter()
    let jumps = 0
    let off = 0
    for (let tick = 0; tick < 12_000; tick++) {
      if (meter.tick(poisson(30, random), 50)) {
        jumps++
        meter.tell()
      }
      if (tick % 20 === 19) meter.tell()
      if (tick > 20 && Math.abs(meter.tell() - 600) > 100) off++
    }
    // In ten minutes.
    expect(jumps).toBeLessThan(12)
    expect(off).toBeLessThan(120)
  })

  it('sees within a tick or two that requests have stopped, or begun', () => {
    const meter = new DemandMeter()
    for (let tick = 0; tick < 40; tick++) meter.tick(30, 50)
    meter.tell()
    expect(meter.tick(2, 50)).toBe(true)
    expect(meter.tell()).toBe(40)
    meter.tick(0, 50)
    expect(meter.tell()).toBe(20)
    expect(meter.tick(90, 50)).toBe(true)
    expect(meter.tell()).toBe(1800)
  })

  it('looks up to ten seconds back where requests are few, and forgets them then', () => {
    const meter = new DemandMeter()
    for (let tick = 0; tick < 30; tick++) meter.tick(tick % 4 === 0 ? 1 : 0, 500)
    expect(meter.tell()).toBeCloseTo(0.5)
    for (let tick = 0; tick < 20; tick++) meter.tick(0, 500)
    expect(meter.tell()).toBe(0)
  })

  it('does not mind a late tick, or one at once', () => {
    const meter = new DemandMeter()
    for (let tick = 0; tick < 20; tick++) meter.tick(30, 50)
    meter.tell()
    expect(meter.tick(300, 500)).toBe(false)
    expect(meter.tick(3, 0)).toBe(false)
    expect(meter.tell()).toBe(600)
  })
})
