import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../time/clock.ts'
import { Balancer } from '../balancer.ts'
import { leastRequest } from '../least-request/least-request.ts'
import { policyContract } from '../testing/policy-contract.ts'
import { anIllInstance, anInstance, aSet } from '../testing/sets.ts'
import { countPicks } from '../testing/shares.ts'
import { zoneFirst } from './zones.ts'

policyContract('least-request, zone a first', () => zoneFirst(leastRequest, 'a'))

/** Instances in these zones, by id `zone-number`. */
function inZones(counts: Readonly<Record<string, number>>) {
  return Object.entries(counts).flatMap(([zone, count]) =>
    Array.from({ length: count }, (_, i) => anInstance(`${zone}-${i}`, zone === 'none' ? {} : { zone })),
  )
}

function sharesOf(own: string | undefined, instances: ReturnType<typeof inZones>): Record<string, number> {
  const balancer = new Balancer(
    zoneFirst(() => leastRequest(), own),
    seededRandom(1),
  )
  balancer.update(aSet(instances))
  const shares: Record<string, number> = {}
  for (const [id, count] of countPicks(balancer, 20_000, 20)) {
    const zone = id.split('-')[0] ?? ''
    shares[zone] = (shares[zone] ?? 0) + count / 20_000
  }
  return shares
}

describe('the own zone', () => {
  it('keeps all its traffic while it has its part of the capacity', () => {
    expect(sharesOf('a', inZones({ a: 3, b: 3, c: 3 }))).toEqual({ a: 1, b: 0, c: 0 })
    expect(sharesOf('a', inZones({ a: 6, b: 2, c: 1 }))).toEqual({ a: 1, b: 0, c: 0 })
  })

  it('sends on what is too much for it, to the others by their capacity', () => {
    const { a, b, c } = sharesOf('a', inZones({ a: 1, b: 4, c: 4 }))
    expect(a).toBeCloseTo(1 / 3, 1)
    expect(b).toBeCloseTo(1 / 3, 1)
    expect(c).toBeCloseTo(1 / 3, 1)
  })

  it('counts what may be picked, not what is registered', () => {
    const ill = anIllInstance('a-2', 'tcp')
    const { a } = sharesOf('a', [...inZones({ a: 1, b: 3 }), { ...ill, zone: 'a' }])
    expect(a).toBeCloseTo(0.5, 1)
  })

  it.each([
    ['nobody is in it', 'z', inZones({ a: 2, b: 2 })],
    ['the caller has none', undefined, inZones({ a: 2, b: 2 })],
    ['the caller’s is empty', '', inZones({ a: 2, b: 2 })],
  ])('is no matter when %s', (_title, own, instances) => {
    const { a, b } = sharesOf(own, instances)
    expect(a).toBeCloseTo(0.5, 1)
    expect(b).toBeCloseTo(0.5, 1)
  })

  it('takes those that say none for elsewhere', () => {
    expect(sharesOf('a', inZones({ a: 2, none: 2 }))).toEqual({ a: 1, none: 0 })
  })

  it('is left by a retry that has tried all of it', () => {
    const balancer = new Balancer(
      zoneFirst(() => leastRequest(), 'a'),
      seededRandom(1),
    )
    balancer.update(aSet(inZones({ a: 1, b: 2 })))
    const first = balancer.endpoints.find(({ id }) => id === 'a-0')
    if (first === undefined) throw new Error('no such endpoint')
    for (let i = 0; i < 20; i++) expect(balancer.pick({ tried: [first] })).not.toBe(first)
  })

  it('keeps equal keys together, spill-over and all', () => {
    const balancer = new Balancer(
      zoneFirst(() => leastRequest(), 'a'),
      seededRandom(1),
    )
    balancer.update(aSet(inZones({ a: 1, b: 4 })))
    for (let key = 0; key < 50; key++) {
      const zones = Array.from({ length: 10 }, () => balancer.pick({ hashKey: `user-${key}` })?.instance.zone)
      expect(new Set(zones).size).toBe(1)
    }
  })
})
