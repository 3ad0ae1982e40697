import fc from 'fast-check'
import { expect, it } from 'vitest'
import { seededRandom } from '../time/clock.ts'
import { Fleet } from './testing/fleet.ts'

it('holds for forty gateways among which demand wanders', () => {
  const fleet = new Fleet({ qps: 2000, burst: 400 })
  for (let count = 0; count < 40; count++) fleet.join()
  fleet.run(5000, () => 0)
  const random = seededRandom(11)
  let rates: readonly number[] = []
  const admitted = fleet.run(20_000, (index, now) => {
    if (index === 0 && now % 4000 === 1001) rates = fleet.gateways.map(() => 400 * random() * random())
    return rates[index] ?? 0
  })
  const asked = rates.reduce((sum, rate) => sum + rate, 0)
  console.info(`forty gateways, ${Math.round(asked)}/s asked for at last: ${admitted} of 40400`)
  expect(admitted).toBeLessThanOrEqual(40_400 + 40)
  expect(admitted).toBeGreaterThan(40_400 * 0.95)
  expect(fleet.mostShared).toBeLessThanOrEqual(2000 + 1e-6)
})

it('never lets pass more than the limit, whoever comes and wherever demand goes', () => {
  const phase = fc.record({
    ms: fc.integer({ min: 20, max: 3000 }),
    rates: fc.array(fc.constantFrom(0, 1, 30, 400, 3000), { minLength: 6, maxLength: 6 }),
    joins: fc.boolean(),
    restarts: fc.constantFrom(false, false, false, true),
  })
  fc.assert(
    fc.property(
      fc.constantFrom({ qps: 500, burst: 100 }, { qps: 50, burst: 3 }, { qps: 1000, burst: 1000 }),
      fc.array(phase, { minLength: 1, maxLength: 8 }),
      (limit, phases) => {
        const fleet = new Fleet(limit)
        fleet.join()
        // By when so much had passed.
        const passed: { readonly at: number; readonly all: number }[] = [{ at: 0, all: 0 }]
        for (const { ms, rates, joins, restarts } of phases) {
          if (joins && fleet.gateways.length < 6) fleet.join()
          // Until its first share a newcomer goes by the whole limit: some milliseconds without a request.
          fleet.run(10, () => 0)
          if (restarts) fleet.restartRegistry()
          fleet.run(ms, index => rates[index] ?? 0)
          passed.push({ at: fleet.now, all: fleet.admitted })
        }
        expect(fleet.mostShared).toBeLessThanOrEqual(limit.qps * (1 + 1e-9))
        for (const [index, from] of passed.entries()) {
          for (const to of passed.slice(index + 1)) {
            const plan = limit.burst + (limit.qps * (to.at - from.at)) / 1000
            // However small its share of the burst, each gateway may hold one.
            expect(to.all - from.all).toBeLessThanOrEqual(plan + fleet.gateways.length)
          }
        }
      },
    ),
    { numRuns: 100 },
  )
})
