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
