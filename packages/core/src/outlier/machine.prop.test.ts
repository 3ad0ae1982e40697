import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Trouble } from '../balance/tally.ts'
import { anIllInstance, anInstance, aSet } from '../balance/testing/sets.ts'
import { isHealthy } from '../instance/instance.ts'
import { World } from './testing/world.ts'

const instances = 6
const id = fc.integer({ min: 0, max: instances - 1 }).map(index => `i-${index}`)
const trouble = fc.constantFrom<Trouble>('refused', 'broken', 'parted', 'timeout', 'response')
const end = fc.oneof(
  { weight: 3, arbitrary: fc.constant('ok' as const) },
  { weight: 3, arbitrary: trouble },
  { weight: 1, arbitrary: fc.constant('cancelled' as const) },
)
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('request' as const), id, end, picked: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.integer({ min: 1, max: 5000 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('set' as const), ill: fc.array(id, { maxLength: 3 }) }),
  },
)
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

function play(world: World, steps: readonly Step[], check: () => void): void {
  for (const next of steps) {
    if (next.kind === 'time') world.pass(next.ms)
    if (next.kind === 'set') {
      const all = Array.from({ length: instances }, (_, index) => `i-${index}`)
      world.balancer.update(
        aSet(all.map(each => (next.ill.includes(each) ? anIllInstance(each, 'http') : anInstance(each)))),
      )
    }
    if (next.kind === 'request') {
      const endpoint = next.picked ? world.balancer.pick() : world.endpoint(next.id)
      if (endpoint === undefined) throw new Error('nothing to pick')
      if (!next.picked) endpoint.inFlight += 1
      if (next.end === 'ok') world.balancer.succeeded(endpoint, 1)
      else if (next.end === 'cancelled') world.balancer.cancelled(endpoint)
      else world.balancer.failed(endpoint, next.end, 500)
    }
    check()
  }
}

const without = (world: World, kind: string) =>
  (world.balancer.set?.instances ?? []).filter(({ causes }) => causes.every(cause => cause.kind !== kind))

describe('whatever happens', () => {
  it('so many stay as are to be kept, of those that the registry deems healthy and that do not refuse', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 120 }),
        fc.integer({ min: 0, max: instances }),
        (steps, keep) => {
          const world = new World(instances, { keepAtLeast: keep })
          play(world, steps, () => {
            const wellKnown = without(world, 'http')
            const refusing = wellKnown.filter(({ causes }) =>
              causes.some(({ reason }) => reason.includes('refused')),
            )
            const least = Math.min(keep, wellKnown.length - refusing.length)
            expect(world.healthy.length).toBeGreaterThanOrEqual(least)
          })
        },
      ),
      { numRuns: 300 },
    )
  })

  it('an instance without a failure is never out', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), steps => {
        const world = new World(instances, { enoughRequests: 3, enoughPeers: 2 })
        play(world, steps, () => {
          for (const { instance, tally } of world.balancer.endpoints) {
            if (tally.failed > 0) continue
            expect(instance.causes.every(({ kind }) => kind !== 'outlier')).toBe(true)
          }
        })
      }),
      { numRuns: 300 },
    )
  })

  it('who is out comes back: after time, and one success each, all are in', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), steps => {
        const world = new World(instances)
        play(world, [...steps, { kind: 'set', ill: [] }], () => {})
        for (
          let second = 0;
          second < 70 && world.balancer.endpoints.some(({ tally }) => tally.standing !== 'in');
          second++
        ) {
          world.pass(1000)
          for (let count = 0; count < 100; count++) {
            const picked = world.balancer.pick()
            if (picked !== undefined) world.balancer.succeeded(picked, 1)
          }
        }
        expect(world.balancer.endpoints.map(({ tally }) => tally.standing)).toEqual(
          Array(instances).fill('in'),
        )
        expect(world.balancer.set?.instances.every(isHealthy)).toBe(true)
      }),
      { numRuns: 200 },
    )
  })

  it('what one instance’s requests found does not depend on how others’ come between, while enough are left', () => {
    const ends = fc.array(fc.constantFrom('ok' as const, 'response' as const, 'broken' as const), {
      maxLength: 12,
    })
    fc.assert(
      fc.property(ends, ends, fc.infiniteStream(fc.boolean()), (first, second, turns) => {
        const run = (order: readonly (readonly ['i-0' | 'i-1', 'ok' | Trouble])[]) => {
          const world = new World(instances, { keepAtLeast: 0 })
          for (const [who, how] of order) how === 'ok' ? world.succeeds(who) : world.fails(who, how)
          return world.balancer.endpoints.map(({ tally: { standing, strikes, until } }) => [
            standing,
            strikes,
            until,
          ])
        }
        const a = first.map(how => ['i-0', how] as const)
        const b = second.map(how => ['i-1', how] as const)
        const mixed: (readonly ['i-0' | 'i-1', 'ok' | Trouble])[] = []
        const [restA, restB] = [[...a], [...b]]
        while (restA.length + restB.length > 0) {
          const fromA = restB.length === 0 || (restA.length > 0 && turns.next().value === true)
          const next = fromA ? restA.shift() : restB.shift()
          if (next !== undefined) mixed.push(next)
        }
        expect(run(mixed)).toEqual(run([...a, ...b]))
        expect(run([...b, ...a])).toEqual(run([...a, ...b]))
      }),
    )
  })
})
