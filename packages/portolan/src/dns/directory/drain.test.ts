import { performance } from 'node:perf_hooks'
import { openResolver } from '@portolan/client'
import type { Instance } from '@portolan/core'
import { afterEach, describe, expect, it } from 'vitest'
import { openTested, registered, someone } from '../../api/testing/open-tested.ts'
import { instanceOf } from '../../proxy/testing/static-resolver.ts'
import { virtualTime } from '../../registry/testing/virtual-time.ts'
import type { KnownService } from './directory.ts'
import { onTheWayMs } from './letting-go.ts'
import { openDirectory } from './open-directory.ts'
import { StaticCatalogue } from './testing/static-catalogue.ts'

const order = { namespace: 'default', service: 'order' }
const pay = { namespace: 'default', service: 'pay' }
const ttlMs = 1000
const keptMs = ttlMs + onTheWayMs

const [a, b] = [instanceOf('order', 'a', 80), instanceOf('order', 'b', 80)]

const draining = (instance: Instance): Instance => ({
  ...instance,
  causes: [{ kind: 'draining', owner: 'drain', reason: 'deploy', since: '2030-01-01T00:00:00.000Z' }],
})

async function open(ttl = ttlMs, earlyMs = 0) {
  const time = virtualTime()
  const catalogue = new StaticCatalogue()
  const timers = { after: (ms: number, run: () => void) => time.after(ms > 1 ? ms - earlyMs : ms, run) }
  const directory = openDirectory({ resolver: catalogue, clock: time, timers, ttlMs: ttl })
  // What a server before this one answered is over.
  await time.pass(ttl + onTheWayMs)
  catalogue.list([order, pay])
  catalogue.give(order, [a, b])
  catalogue.give(pay, [])
  const known = directory.service('default', 'order') as KnownService
  const held = (id: string) => catalogue.inFlight(order, id)
  return { time, catalogue, directory, known, held }
}

describe('an instance that drains', () => {
  it('is let go of when the TTL of the last answer that may name it is over', async () => {
    const { time, catalogue, directory, known, held } = await open()
    directory.touched(known)
    await time.pass(300)
    catalogue.give(order, [draining(a), b])
    expect([held('a'), held('b')]).toEqual([1, 0])
    // Answers of now do not name it any more.
    directory.touched(known)
    await time.pass(keptMs - 301)
    expect([held('a'), catalogue.idled]).toEqual([1, []])
    directory.touched(known)
    await time.pass(1)
    expect([held('a'), catalogue.idled]).toEqual([0, [{ ...order, id: 'a' }]])
    await time.pass(60_000)
    expect(catalogue.idled).toHaveLength(1)
    expect(time.waiting).toBe(0)
  })

  it('is let go of at once where nobody was answered for a TTL, or something else was asked for', async () => {
    const { time, catalogue, directory, known, held } = await open()
    directory.touched(known)
    await time.pass(keptMs)
    directory.touched(directory.service('default', 'pay') as KnownService)
    catalogue.give(order, [draining(a), b])
    expect(held('a')).toBe(0)
    expect(time.waiting).toBe(0)
  })

  it('may have been named by an answer that was made from all services', async () => {
    const { time, catalogue, directory, held } = await open()
    directory.touched(directory)
    catalogue.give(order, [draining(a), b])
    await time.pass(keptMs - 1)
    expect(held('a')).toBe(1)
    await time.pass(1)
    expect(catalogue.idled).toEqual([{ ...order, id: 'a' }])
  })

  it.each([0, 1])('is let go of at its own time, by timers that fire %s ms too early, too', async earlyMs => {
    const { time, catalogue, directory, known } = await open(ttlMs, earlyMs)
    directory.touched(known)
    catalogue.give(order, [draining(a), b])
    await time.pass(400)
    directory.touched(known)
    catalogue.give(order, [draining(a), draining(b)])
    await time.pass(keptMs - 401)
    expect(catalogue.idled).toEqual([])
    await time.pass(1)
    expect(catalogue.idled.map(({ id }) => id)).toEqual(['a'])
    await time.pass(400)
    expect(catalogue.idled.map(({ id }) => id)).toEqual(['a', 'b'])
  })

  it('was named by an earlier answer, too, when something else took it out first', async () => {
    const { time, catalogue, directory, known, held } = await open()
    directory.touched(known)
    const cause = { kind: 'http', owner: 'check', reason: 'down', since: '' } as const
    catalogue.give(order, [{ ...a, causes: [cause] }, b])
    await time.pass(500)
    catalogue.give(order, [draining(a), b])
    expect(held('a')).toBe(1)
    await time.pass(keptMs - 500)
    expect(held('a')).toBe(0)
  })

  it('that registers anew while it drains is held as long as its earlier run: it may be the same program', async () => {
    const { time, catalogue, directory, known, held } = await open()
    directory.touched(known)
    catalogue.give(order, [draining(a), b])
    await time.pass(100)
    catalogue.give(order, [draining({ ...a, incarnation: 2 }), b])
    expect(held('a')).toBe(1)
    await time.pass(keptMs - 100)
    expect(catalogue.idled).toHaveLength(1)
  })

  it('and is taken back, or gone, is not spoken of', async () => {
    const { time, catalogue, directory, known, held } = await open()
    directory.touched(known)
    catalogue.give(order, [draining(a), draining(b)])
    catalogue.give(order, [a])
    expect([held('a'), held('b'), time.waiting]).toEqual([0, 0, 0])
    await time.pass(keptMs)
    expect(catalogue.idled).toEqual([])
    directory.touched(known)
    catalogue.give(order, [draining(a), b])
    await time.pass(keptMs - 1)
    expect(held('a')).toBe(1)
  })

  it('and is named because nobody else is left is held for a TTL, however often it is asked for', async () => {
    const { time, catalogue, directory, known, held } = await open()
    directory.touched(known)
    catalogue.give(order, [draining(a)])
    expect(known.panic).toBe(true)
    for (let round = 0; round < 9; round++) {
      await time.pass(keptMs / 10)
      directory.touched(known)
    }
    expect(held('a')).toBe(1)
    await time.pass(keptMs / 10)
    expect([held('a'), catalogue.idled]).toEqual([0, [{ ...order, id: 'a' }]])
  })

  it('and was named because nobody else was left is held for another TTL once others are back in time', async () => {
    const { time, catalogue, directory, known, held } = await open()
    directory.touched(known)
    catalogue.give(order, [draining(a)])
    await time.pass(800)
    directory.touched(known)
    catalogue.give(order, [draining(a), b])
    await time.pass(keptMs - 1)
    expect([held('a'), catalogue.idled]).toEqual([1, []])
    await time.pass(1)
    expect([held('a'), catalogue.idled]).toEqual([0, [{ ...order, id: 'a' }]])
  })

  it('is held with TTL 0 until the answer must have arrived', async () => {
    const { time, catalogue, directory, known, held } = await open(0)
    directory.touched(known)
    catalogue.give(order, [draining(a), b])
    await time.pass(onTheWayMs - 1)
    expect(held('a')).toBe(1)
    await time.pass(1)
    expect(held('a')).toBe(0)
  })

  it('may have been named by a server that answered here before', async () => {
    const time = virtualTime()
    const catalogue = new StaticCatalogue()
    openDirectory({ resolver: catalogue, clock: time, timers: time, ttlMs })
    await time.pass(200)
    catalogue.list([order])
    catalogue.give(order, [a, b])
    catalogue.give(order, [draining(a), b])
    await time.pass(keptMs - 201)
    expect(catalogue.inFlight(order, 'a')).toBe(1)
    await time.pass(1)
    expect(catalogue.idled).toEqual([{ ...order, id: 'a' }])
  })

  it('is waited for no more by a directory that is closed', async () => {
    const { time, catalogue, directory, known } = await open()
    directory.touched(known)
    catalogue.give(order, [draining(a), b])
    directory.close()
    await time.pass(keptMs)
    expect([catalogue.idled, time.waiting]).toEqual([[], 0])
  })
})

const ends: (() => Promise<unknown> | undefined)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

describe('a directory whose registry goes away', () => {
  it('is stale, and knows what it knew', async () => {
    const { directory, known, close } = await served(1000)
    expect(directory.stale).toBe(false)
    const { version } = known
    await close()
    while (!directory.stale) await new Promise(resolve => setTimeout(resolve, 5))
    expect(directory.ready).toBe(true)
    expect(directory.service('default', 'order')).toBe(known)
    expect(known.eligible.map(({ id }) => id)).toEqual(['a', 'b'])
    expect(known.version).toBe(version)
  })
})

/** A registry, two instances of `order`, and a DNS directory as the only one who picks. */
async function served(ttl: number) {
  const tested = await openTested({ found: 'answered' })
  ends.push(() => tested.close())
  for (const id of ['a', 'b']) await registered(tested, 'order', id)
  const resolver = openResolver({ urls: tested.url, kind: 'proxy' })
  ends.push(() => resolver.close())
  let passed = 0
  const directory = openDirectory({
    resolver,
    clock: { now: () => performance.now() + passed },
    timers: {
      after(ms, run) {
        const timer = setTimeout(run, ms)
        return () => clearTimeout(timer)
      },
    },
    ttlMs: ttl,
  })
  ends.push(async () => directory.close())
  expect(await directory.whenReady()).toBe(true)
  const known = directory.service('default', 'order') as KnownService
  expect(known.eligible.map(({ id }) => id)).toEqual(['a', 'b'])
  const drain = (graceMs: number) => tested.registry.drain({ ...order, id: 'a' }, someone, graceMs)
  // What a server before this one answered is over.
  passed = ttl + onTheWayMs
  return { directory, known, drain, close: () => tested.api.close() }
}

describe('a drain of a registry whose services DNS answers for', () => {
  it('ends when the TTL of the last answer is over: not before, and not with the grace time', async () => {
    const { directory, known, drain } = await served(400)
    const since = performance.now()
    directory.touched(known)
    const asking = setInterval(() => directory.touched(known), 20)
    ends.push(async () => clearInterval(asking))
    expect(await drain(15_000)).toBe(true)
    expect(performance.now() - since).toBeGreaterThan(400)
    expect(performance.now() - since).toBeLessThan(10_000)
    expect(known.eligible.map(({ id }) => id)).toEqual(['b'])
  })

  it('ends at once where nobody was answered', async () => {
    const { drain } = await served(60_000)
    expect(await drain(15_000)).toBe(true)
  })

  it('does not end before the grace time where the TTL is longer', async () => {
    const { directory, known, drain } = await served(60_000)
    directory.touched(known)
    expect(await drain(300)).toBe(false)
  })
})
