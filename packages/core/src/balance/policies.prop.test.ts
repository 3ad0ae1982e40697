import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CauseKind } from '../instance/cause.ts'
import { type Random, seededRandom } from '../time/clock.ts'
import { Balancer } from './balancer.ts'
import { composedPolicy } from './composed.ts'
import { eligible } from './eligible.ts'
import type { Endpoint, Outcome, Policy } from './picker.ts'
import { policies, policyNames } from './policies.ts'
import { anIllInstance, aSet } from './testing/sets.ts'

const member = fc.record({
  id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'),
  weight: fc.constantFrom(0, 1, 1, 1, 2, 0.001, 1_000_000),
  causes: fc.constantFrom<readonly CauseKind[]>([], [], [], ['tcp'], ['http'], ['draining'], ['operator']),
  incarnation: fc.constantFrom(1, 1, 1, 2),
  zone: fc.constantFrom('x', 'y', ''),
  priority: fc.constantFrom('0', '0', '1'),
})

type Member = typeof member extends fc.Arbitrary<infer Value> ? Value : never

type Step =
  | { readonly does: 'update'; readonly members: readonly Member[] }
  | { readonly does: 'pick'; readonly key: string | undefined; readonly tried: number }
  | { readonly does: 'done'; readonly which: number; readonly outcome: Outcome; readonly ms: number }
  | { readonly does: 'refresh'; readonly overMs: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.record({
      does: fc.constant('update' as const),
      members: fc.uniqueArray(member, { selector: ({ id }) => id, maxLength: 10 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      does: fc.constant('pick' as const),
      key: fc.constantFrom(undefined, undefined, 'k', 'l', ''),
      tried: fc.nat({ max: 4 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      does: fc.constant('done' as const),
      which: fc.nat(),
      outcome: fc.constantFrom<Outcome>('success', 'success', 'failure', 'cancelled'),
      ms: fc.oneof(fc.double({ min: -1, max: 1e6, noNaN: true }), fc.constant(0)),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ does: fc.constant('refresh' as const), overMs: fc.nat({ max: 100_000 }) }),
  },
)

/** Carries out the steps, and holds every one of them against what all policies owe. Returns who was picked. */
function follow(policy: Policy, steps: readonly Step[], random: Random): (string | undefined)[] {
  const balancer = new Balancer(policy, random)
  const open: Endpoint[] = []
  const picks: (string | undefined)[] = []
  let revision = 0
  for (const each of steps) {
    if (each.does === 'update') {
      const instances = each.members.map(({ id, causes, weight, incarnation, zone, priority }) => ({
        ...anIllInstance(id, ...causes),
        weight,
        incarnation,
        zone,
        metadata: { priority },
      }))
      balancer.update(aSet(instances, ++revision))
    } else if (each.does === 'pick') {
      const may = eligible(balancer.endpoints).endpoints
      const tried = open.slice(0, each.tried)
      const picked = balancer.pick({ tried, ...(each.key === undefined ? {} : { hashKey: each.key }) })
      if (may.length === 0) expect(picked).toBeUndefined()
      else expect(may).toContain(picked)
      if (may.some(endpoint => !tried.includes(endpoint))) expect(tried).not.toContain(picked)
      if (picked !== undefined) open.push(picked)
      picks.push(picked?.id)
    } else if (each.does === 'done') {
      const [ended] = open.splice(each.which % Math.max(1, open.length), 1)
      if (ended !== undefined) balancer.done(ended, each.outcome, each.ms)
    } else balancer.refresh(each.overMs)
    for (const endpoint of balancer.endpoints) {
      expect(endpoint.inFlight).toBe(open.filter(one => one === endpoint).length)
      expect(endpoint.weight).toBeLessThanOrEqual(endpoint.instance.weight)
      expect(endpoint.weight > 0).toBe(endpoint.instance.weight > 0)
      expect(endpoint.learned.cost).toBeGreaterThanOrEqual(0.1)
      expect(endpoint.learned.cost).toBeLessThanOrEqual(20)
    }
  }
  return picks
}

const all: readonly (readonly [string, () => Policy])[] = [
  ...policyNames.map(name => [name, policies[name]] as const),
  ...policyNames.map(
    name =>
      [
        `${name}, with all that goes on around it`,
        () => composedPolicy({ policy: name }, { zone: 'x' }),
      ] as const,
  ),
]

describe.each(all)('%s, whatever comes', (_name, newPolicy) => {
  it('picks among those that may be picked, avoids the tried, counts right, and depends on the dice alone', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), fc.nat(), (steps, seed) => {
        const picks = follow(newPolicy(), steps, seededRandom(seed))
        expect(follow(newPolicy(), steps, seededRandom(seed))).toEqual(picks)
      }),
      { numRuns: 60 },
    )
  })
})
