import { describe, expect, it } from 'vitest'
import { World } from './testing/world.ts'

describe('reports', () => {
  it('tell what happened since the last one, once', () => {
    const world = new World(3)
    world.succeeds('i-0')
    world.succeeds('i-0')
    world.succeeds('i-1')
    expect(world.balancer.untold()).toEqual([
      { id: 'i-0', incarnation: 1, ok: 2, failed: 0 },
      { id: 'i-1', incarnation: 1, ok: 1, failed: 0 },
    ])
    expect(world.balancer.untold()).toEqual([])
  })

  it('come at once with a failure, of one instance once in 200 ms, and tell nothing twice', () => {
    const world = new World(3)
    world.succeeds('i-0')
    world.fails('i-0', 'response', 3)
    expect(world.told).toEqual([{ id: 'i-0', incarnation: 1, ok: 1, failed: 1, reason: 'answered 500' }])
    world.clock.at = 199
    world.fails('i-0', 'timeout')
    world.fails('i-1', 'refused')
    expect(world.told.slice(1)).toEqual([
      { id: 'i-1', incarnation: 1, ok: 0, failed: 1, reason: 'connection refused' },
    ])
    expect(world.balancer.untold()).toEqual([
      { id: 'i-0', incarnation: 1, ok: 0, failed: 3, reason: 'no answer in time' },
    ])
    world.clock.at = 400
    world.fails('i-0', 'parted')
    expect(world.told.at(-1)).toMatchObject({ id: 'i-0', failed: 1, reason: 'connection ended' })
  })
})
