import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../time/clock.ts'
import { Balancer } from '../balancer.ts'
import { randomChoice } from '../random/random.ts'
import { weightedSet } from '../testing/sets.ts'
import { countPicks } from '../testing/shares.ts'
import { subsetting } from './subset.ts'

function balancerOf(client: string, count: number, size: number): Balancer {
  const balancer = new Balancer(subsetting(randomChoice(), client, size), seededRandom(1))
  balancer.update(weightedSet(Array<number>(count).fill(1)))
  return balancer
}

function picked(balancer: Balancer): string[] {
  return [...countPicks(balancer, 2000)].filter(([, count]) => count > 0).map(([id]) => id)
}

describe('a subset', () => {
  it('is of the wanted size, the same each time for one caller, another for another', () => {
    const mine = picked(balancerOf('a', 100, 10))
    expect(mine).toHaveLength(10)
    expect(picked(balancerOf('a', 100, 10))).toEqual(mine)
    expect(picked(balancerOf('b', 100, 10))).not.toEqual(mine)
  })

  it.each([
    ['fewer than it wants', 5, 10],
    ['no size', 30, 0],
  ])('is all of them with %s', (_title, count, size) => {
    expect(picked(balancerOf('a', count, size))).toHaveLength(count)
  })

  it('changes one instance when one goes', () => {
    const balancer = balancerOf('a', 101, 10)
    const before = picked(balancer)
    balancer.update(weightedSet(Array<number>(100).fill(1), 2))
    const after = picked(balancer)
    expect(after.filter(id => !before.includes(id)).length).toBeLessThanOrEqual(1)
  })

  it('leaves no instance without callers, and none with far too many', () => {
    const callers = new Map<string, number>()
    for (let client = 0; client < 500; client++) {
      const { endpoints } = balancerOf(`client-${client}`, 50, 10)
      for (const { id } of endpoints) callers.set(id, callers.get(id) ?? 0)
      for (const id of picked(balancerOf(`client-${client}`, 50, 10)))
        callers.set(id, (callers.get(id) ?? 0) + 1)
    }
    // 100 each, ± 5 standard deviations.
    expect(Math.min(...callers.values())).toBeGreaterThan(55)
    expect(Math.max(...callers.values())).toBeLessThan(145)
  })
})
