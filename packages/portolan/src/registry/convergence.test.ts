import type { Cursor, Instance, InstanceSet } from '@portolan/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Subscription, ViewChange } from './registry.ts'
import { admin, nameOf, openTested, order, owner, register, type Tested } from './testing/open-tested.ts'

/** A subscriber that keeps its own set by the changes alone, as one beyond a wire does. */
class Follower {
  readonly mine = new Map<string, Instance>()
  cursor: Cursor | undefined
  takes = true
  subscription: Subscription | undefined

  start({ registry }: Tested): void {
    this.subscription?.close()
    this.subscription = registry.subscribe(order, this.cursor, change => this.receive(change))
  }

  receive(change: ViewChange): boolean {
    const { cursor } = change.set
    if (this.cursor?.epoch === cursor.epoch) expect(cursor.revision).toBeGreaterThan(this.cursor.revision)
    this.cursor = cursor
    if (change.kind === 'snapshot') {
      this.mine.clear()
      for (const instance of change.set.instances) this.mine.set(instance.id, instance)
    } else {
      for (const instance of change.put) this.mine.set(instance.id, instance)
      for (const { id } of change.gone) this.mine.delete(id)
    }
    this.expectEqual(change.set)
    return this.takes
  }

  expectEqual(set: InstanceSet): void {
    const ids = [...this.mine.keys()].sort()
    expect(ids.map(id => this.mine.get(id))).toEqual(set.instances)
  }
}

const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')
const session = fc.constantFrom('s', 't')
const step = fc.oneof(
  fc.record({
    do: fc.constant('register' as const),
    id,
    port: fc.constantFrom(1, 2),
    session: fc.option(session),
    starting: fc.boolean(),
  }),
  fc.record({ do: fc.constantFrom('deregister' as const, 'override' as const, 'drain' as const), id }),
  fc.record({ do: fc.constant('report' as const), id, bad: fc.boolean() }),
  fc.record({
    do: fc.constant('judge' as const),
    id,
    owner: fc.constantFrom('tcp', 'http'),
    /** 0 = of the run that there is, else of an older one. */
    age: fc.constantFrom(0, 0, 1),
    bad: fc.option(fc.boolean(), { nil: undefined }),
    factor: fc.constantFrom(undefined, 0, 0.25, 0.5),
    started: fc.boolean(),
  }),
  fc.record({
    do: fc.constant('prove' as const),
    id,
    result: fc.constantFrom('spoke' as const, 'answered' as const, 'refused' as const),
  }),
  fc.record({
    do: fc.constantFrom('open' as const, 'close' as const, 'silent' as const, 'answer' as const),
    session,
  }),
  fc.record({ do: fc.constantFrom('congest' as const, 'resume' as const, 'again' as const), who: fc.nat(2) }),
  fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(0, 10, 60, 6000, 16_000) }),
)
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

async function take(tested: Tested, followers: readonly Follower[], made: Step): Promise<void> {
  const { registry } = tested
  switch (made.do) {
    case 'register':
      await register(tested, made.id, {
        port: made.port,
        ...(made.starting ? { starting: 'untested' } : {}),
        ...(made.session === null ? {} : { session: made.session }),
      })
      break
    case 'deregister':
      return registry.deregister(nameOf(made.id), owner)
    case 'override':
      await registry.override(nameOf(made.id), admin, {
        weight: made.id.charCodeAt(0),
        outOfService: made.id > 'c',
      })
      break
    case 'drain':
      registry.drain(nameOf(made.id), owner, 50).catch(() => {})
      break
    case 'report':
      return registry.report(nameOf(made.id), {
        kind: 'http',
        owner: 'c',
        reason: made.bad ? 'bad' : undefined,
      })
    case 'judge': {
      const incarnation = (registry.find(nameOf(made.id))?.incarnation ?? 0) - made.age
      const { owner, bad, factor, started } = made
      return registry.judge(nameOf(made.id), {
        incarnation,
        owner,
        started,
        ...(bad === undefined ? {} : { cause: { kind: 'http', reason: bad ? 'bad' : undefined } }),
        ...(factor === undefined
          ? {}
          : { degraded: factor === 0 ? ('lifted' as const) : { factor, reason: 'slow' } }),
      })
    }
    case 'prove':
      return registry.proved(nameOf(made.id), registry.find(nameOf(made.id))?.incarnation ?? 0, made.result)
    case 'open':
      return registry.sessionOpened(made.session)
    case 'close':
      return registry.sessionClosed(made.session)
    case 'silent':
      return registry.sessionSilent(made.session)
    case 'answer':
      return registry.sessionAnswered(made.session)
    case 'congest':
    case 'resume': {
      const follower = followers[made.who]
      if (follower === undefined) return
      follower.takes = made.do === 'resume'
      if (follower.takes) follower.subscription?.resume()
      break
    }
    case 'again':
      return followers[made.who]?.start(tested)
    case 'pass':
      return tested.time.pass(made.ms)
  }
}

describe('whatever happens', () => {
  it("every subscriber and observer ends with exactly the registry's set, and none ever goes back", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.nat(), async (steps, seed) => {
        const answers = ['answered', 'refused', 'silent'] as const
        let probes = seed
        const tested = await openTested({ seed, answer: () => answers[probes++ % 3] ?? 'silent' })
        const followers = [new Follower(), new Follower(), new Follower()]
        for (const follower of followers) follower.start(tested)
        const observed = new Map<string, Instance>()
        tested.registry.observe({
          present({ instance }) {
            expect(instance).not.toEqual(observed.get(instance.id))
            observed.set(instance.id, instance)
          },
          gone: ({ id }) => expect(observed.delete(id)).toBe(true),
        })
        // What is refused (unknown ids, closed sessions) changes nothing; half of the steps do not wait.
        for (const [index, made] of steps.entries()) {
          const taken = take(tested, followers, made).catch(() => {})
          if (index % 2 === 0) await taken
        }
        await tested.time.pass(100)
        for (const follower of followers) {
          follower.takes = true
          follower.subscription?.resume()
          follower.expectEqual(tested.registry.view(order))
        }
        const { instances } = tested.registry.view(order)
        expect([...observed.keys()].sort().map(key => observed.get(key))).toEqual(instances)
        await expectAsStored(tested)
        await tested.registry.close()
      }),
      { numRuns: 150 },
    )
  })
})

/** What the store says, read by another registry, is the same set, but for the causes that a restart adds. */
async function expectAsStored(tested: Tested): Promise<void> {
  const before = tested.registry.view(order).instances
  const again = await tested.restart()
  const after = again.registry.view(order).instances
  const plain = (instances: readonly Instance[]) =>
    instances.map(({ causes, ...rest }) => ({
      ...rest,
      causes: causes.filter(cause => cause.kind !== 'disconnected'),
    }))
  expect(plain(after)).toEqual(plain(before))
  await again.registry.close()
}
