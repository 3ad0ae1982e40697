import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../time/clock.ts'
import { Balancer } from '../balancer.ts'
import { weightedSet } from '../testing/sets.ts'
import { worstShareError } from '../testing/shares.ts'
import { maglev } from './maglev.ts'
import { maglevTable, tableSize } from './table.ts'

const equal = (count: number): number[] => Array<number>(count).fill(1)
const members = (weights: readonly number[]) => weights.map((weight, index) => ({ id: `i-${index}`, weight }))

function balancerOf(weights: readonly number[]): Balancer {
  const balancer = new Balancer(maglev(), seededRandom(1))
  balancer.update(weightedSet(weights))
  return balancer
}

function homes(balancer: Balancer, keys: number): (string | undefined)[] {
  return Array.from({ length: keys }, (_, key) => balancer.pick({ hashKey: `user-${key}` })?.id)
}

describe('the table of maglev', () => {
  it.each([
    ['one', [1]],
    ['10 equal', equal(10)],
    ['655 equal', equal(655)],
    ['1,000 equal', equal(1000)],
    ['weighted', [1, 2, 3, 4]],
    ['the extremes', [1_000_000, 1, 1]],
  ])('is full, and each has its share of it to a place or two, and one at least: %s', (_title, weights) => {
    const table = maglevTable(members(weights))
    const counts = weights.map(() => 0)
    for (const index of table) counts[index] = (counts[index] ?? 0) + 1
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    expect(table.length).toBe(tableSize)
    for (const [index, weight] of weights.entries()) {
      expect(Math.abs((counts[index] ?? 0) - (table.length * weight) / total)).toBeLessThanOrEqual(2)
    }
  })

  it('has a prime number of places', () => {
    for (let divisor = 2; divisor * divisor <= tableSize; divisor++) expect(tableSize % divisor).not.toBe(0)
  })
})

describe('maglev', () => {
  it('sends equal keys to the same instance, in every process', () => {
    expect(homes(balancerOf(equal(20)), 500)).toEqual(homes(balancerOf(equal(20)), 500))
  })

  it.each([
    ['10 equal', equal(10)],
    ['1,000 equal', equal(1000)],
    ['mixed', [1, 2, 3, 4]],
  ])('spreads 100,000 keys within 1 %% of the weights: %s', (_title, weights) => {
    const balancer = balancerOf(weights)
    const counts = new Map(balancer.endpoints.map(({ id }) => [id as string | undefined, 0]))
    for (const id of homes(balancer, 100_000)) counts.set(id, (counts.get(id) ?? 0) + 1)
    expect(worstShareError([...counts.values()], weights)).toBeLessThan(0.01)
  })

  it('moves few keys when one joins a hundred: its own, and hardly more', () => {
    const balancer = balancerOf(equal(100))
    const was = homes(balancer, 50_000)
    balancer.update(weightedSet(equal(101), 2))
    const is = homes(balancer, 50_000)
    const moved = is.filter((id, key) => id !== was[key])
    expect(moved.filter(id => id === 'i-0100').length / 50_000).toBeCloseTo(1 / 101, 2)
    expect(moved.length / 50_000).toBeLessThanOrEqual(1.2 / 101)
  })

  it('tries another for a key whose instance was tried, the same one each time', () => {
    const balancer = balancerOf(equal(10))
    const home = balancer.pick({ hashKey: 'a' })
    if (home === undefined) throw new Error('nothing to pick')
    const second = balancer.pick({ hashKey: 'a', tried: [home] })
    expect(second).not.toBe(home)
    expect(balancer.pick({ hashKey: 'a', tried: [home] })).toBe(second)
  })
})
