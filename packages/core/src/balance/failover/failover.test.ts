import { describe, expect, it } from 'vitest'
import type { Instance } from '../../instance/instance.ts'
import { priorityOf } from '../../instance/priority.ts'
import { seededRandom } from '../../time/clock.ts'
import { Balancer } from '../balancer.ts'
import { leastRequest } from '../least-request/least-request.ts'
import { policyContract } from '../testing/policy-contract.ts'
import { anIllInstance, anInstance, aSet } from '../testing/sets.ts'
import { countPicks } from '../testing/shares.ts'
import { failover } from './failover.ts'

policyContract('least-request with levels', () => failover(leastRequest, priorityOf))

/** So many well and so many ill instances of a level. */
function level(priority: number, well: number, ill = 0): Instance[] {
  const metadata = { priority: String(priority) }
  return [
    ...Array.from({ length: well }, (_, i) => anInstance(`${priority}-well-${i}`, { metadata })),
    ...Array.from({ length: ill }, (_, i) => ({ ...anIllInstance(`${priority}-ill-${i}`, 'tcp'), metadata })),
  ]
}

/** The share of each level. */
function sharesOf(...instances: readonly Instance[]): number[] {
  const balancer = new Balancer(
    failover(() => leastRequest(), priorityOf),
    seededRandom(1),
  )
  balancer.update(aSet(instances))
  const shares = [0, 0, 0]
  for (const [id, count] of countPicks(balancer, 20_000)) {
    const level = Number(id[0])
    shares[level] = (shares[level] ?? 0) + count
  }
  return shares.map(count => count / 20_000)
}

describe('levels of priority', () => {
  it('leave the later ones alone while the first can bear it', () => {
    expect(sharesOf(...level(0, 8, 2), ...level(1, 5))).toEqual([1, 0, 0])
  })

  it('give the next one what the first cannot bear', () => {
    const [first, second, third] = sharesOf(...level(0, 5, 5), ...level(1, 5), ...level(2, 5))
    expect(first).toBeCloseTo(0.7, 1)
    expect(second).toBeCloseTo(0.3, 1)
    expect(third).toBe(0)
  })

  it('go on to the third', () => {
    const [first, second, third] = sharesOf(...level(0, 1, 9), ...level(1, 1, 9), ...level(2, 5))
    expect(first).toBeCloseTo(0.14, 1)
    expect(second).toBeCloseTo(0.12, 1)
    expect(third).toBeCloseTo(0.74, 1)
  })

  it('share what nobody can bear', () => {
    const [first, second] = sharesOf(...level(0, 1, 9), ...level(1, 1, 9))
    expect(first).toBeCloseTo(0.54, 1)
    expect(second).toBeCloseTo(0.46, 1)
  })

  it('are gone to when nobody of the first is left', () => {
    expect(sharesOf(...level(0, 0, 3), ...level(1, 2))).toEqual([0, 1, 0])
  })
})
