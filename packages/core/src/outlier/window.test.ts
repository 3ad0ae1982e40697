import { describe, expect, it } from 'vitest'
import { latencyCeiling, successFloor } from './compare.ts'
import { World } from './testing/world.ts'

const ids = (count: number) => Array.from({ length: count }, (_, index) => `i-${index}`)

/** A second of requests to each: so many, of which `badOf` says how many of a hundred fail, and how long they take. */
function second(world: World, each: number, badOf: (id: string) => number, msOf = (_: string) => 1): void {
  const count = world.balancer.endpoints.length
  for (const id of ids(count)) {
    // Spread out, so that they are never consecutive.
    for (let request = 0; request < each; request++) {
      if ((request * badOf(id)) % 100 < badOf(id) && badOf(id) > 0) world.fails(id, 'response')
      else world.succeeds(id, msOf(id))
    }
  }
  world.pass(1000)
}

describe('the arithmetic', () => {
  it('is the mean minus so many standard deviations', () => {
    expect(successFloor([1, 1, 1, 1, 0.5], 1.9, 0.1)).toBeCloseTo(0.9 - 1.9 * 0.2)
    expect(successFloor([1, 1, 1, 1, 0.999], 1.9, 0.1)).toBeCloseTo(0.8998)
  })

  it('is so many times the median', () => {
    expect(latencyCeiling([20, 22, 24, 1000], 3, 10)).toBe(69)
    expect(latencyCeiling([0.1, 0.1, 1.5], 3, 10)).toBe(10.1)
  })
})

describe('success rate', () => {
  it('takes out who fails far more often than its peers, with requests and peers enough', () => {
    const world = new World(8)
    for (let count = 0; count < 3; count++) second(world, 50, id => (id === 'i-3' ? 40 : 1))
    expect(world.healthy).toEqual(ids(8).filter(id => id !== 'i-3'))
    expect(world.balancer.ejections['success-rate']).toBe(1)
  })

  it('takes out nobody where all fail alike, few have enough requests, or the difference is small', () => {
    const alike = new World(8)
    for (let count = 0; count < 5; count++) second(alike, 50, () => 40)
    expect(alike.healthy).toHaveLength(8)
    const few = new World(4)
    for (let count = 0; count < 5; count++) second(few, 50, id => (id === 'i-3' ? 40 : 0))
    expect(few.healthy).toHaveLength(4)
    const quiet = new World(8)
    for (let count = 0; count < 5; count++) second(quiet, 8, id => (id === 'i-3' ? 40 : 0))
    expect(quiet.healthy).toHaveLength(8)
    const small = new World(8)
    for (let count = 0; count < 20; count++) second(small, 100, id => (id === 'i-3' ? 5 : 0))
    expect(small.healthy).toHaveLength(8)
  })
})

describe('latency', () => {
  const slow = (id: string) => (id === 'i-3' ? 200 : 20)

  it('takes out nobody by default', () => {
    const world = new World(8)
    for (let count = 0; count < 10; count++) second(world, 50, () => 0, slow)
    expect(world.healthy).toHaveLength(8)
  })

  it('takes out whose mean is so many times the median, where it is asked for', () => {
    const world = new World(8, { latencyFactor: 5 })
    for (let count = 0; count < 3; count++) second(world, 50, () => 0, slow)
    expect(world.balancer.ejections.latency).toBe(1)
    const double = new World(8, { latencyFactor: 5 })
    for (let count = 0; count < 10; count++)
      second(
        double,
        50,
        () => 0,
        id => (id === 'i-3' ? 40 : 20),
      )
    expect(double.healthy).toHaveLength(8)
  })
})
