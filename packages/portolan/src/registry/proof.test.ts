import type { ProbeResult } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import { nameOf, openTested, order, owner, register, type Tested } from './testing/open-tested.ts'
import { settle } from './testing/virtual-time.ts'

const kinds = ({ registry }: Tested, id = 'a') => registry.find(nameOf(id))?.causes.map(({ kind }) => kind)
const ids = ({ registry }: Tested): string[] => registry.view(order).instances.map(({ id }) => id)

async function prove(tested: Tested, id: string, result: ProbeResult): Promise<void> {
  const incarnation = tested.registry.find(nameOf(id))?.incarnation ?? 0
  tested.registry.proved(nameOf(id), incarnation, result)
  await settle()
}

async function withSession() {
  const tested = await openTested()
  tested.registry.sessionOpened('s')
  const { incarnation } = await register(tested, 'a', { session: 's' })
  return { tested, incarnation, registry: tested.registry }
}

describe('a look at an instance whose session', () => {
  it.each<['closes' | 'is silent' | 'is silent and closes', ProbeResult, boolean]>([
    ['closes', 'answered', true],
    ['closes', 'spoke', true],
    ['closes', 'silent', false],
    ['is silent', 'answered', false],
    ['is silent', 'spoke', true],
    ['is silent and closes', 'answered', false],
    ['is silent and closes', 'spoke', true],
  ])('%s, and which %s, brings it back: %s', async (fate, result, isBack) => {
    const { tested, registry } = await withSession()
    if (fate !== 'closes') registry.sessionSilent('s')
    if (fate !== 'is silent') registry.sessionClosed('s')
    await settle()
    expect(kinds(tested)).toEqual(['disconnected'])
    await prove(tested, 'a', result)
    expect(kinds(tested)).toEqual(isBack ? [] : ['disconnected'])
  })

  it('fell silent before a restart is no wiser: a bare connection does not bring it back', async () => {
    const { tested, registry } = await withSession()
    registry.sessionSilent('s')
    await settle()
    const after = await tested.restart()
    await prove(after, 'a', 'answered')
    expect(kinds(after)).toEqual(['disconnected'])
    await prove(after, 'a', 'spoke')
    expect(kinds(after)).toEqual([])
  })

  it('settles nothing for another run', async () => {
    const { tested, registry, incarnation } = await withSession()
    registry.sessionClosed('s')
    await settle()
    registry.proved(nameOf('a'), incarnation - 1, 'refused')
    registry.proved(nameOf('a'), incarnation + 1, 'spoke')
    await settle()
    expect(kinds(tested)).toEqual(['disconnected'])
  })
})

describe('a refusal', () => {
  it.each<[string, boolean, (tested: Tested) => void]>([
    ['a living session holds', false, () => {}],
    ['nobody holds since its session closed', true, ({ registry }) => registry.sessionClosed('s')],
    ['nobody alive holds, for its session is silent', true, ({ registry }) => registry.sessionSilent('s')],
  ])('of what %s removes it: %s', async (_, isGone, befall) => {
    const { tested } = await withSession()
    befall(tested)
    await prove(tested, 'a', 'refused')
    expect(ids(tested)).toEqual(isGone ? [] : ['a'])
  })

  it('removes what an answer had brought back, when its session never returned', async () => {
    const { tested, registry } = await withSession()
    registry.sessionClosed('s')
    await tested.time.pass(500)
    await prove(tested, 'a', 'answered')
    expect(kinds(tested)).toEqual([])
    await prove(tested, 'a', 'refused')
    expect(ids(tested)).toEqual([])
  })

  it.each(['lease', 'static', 'process'] as const)('leaves to %s what it holds', async tether => {
    const tested = await openTested()
    await register(tested, 'a', { tether })
    await prove(tested, 'a', 'refused')
    expect(ids(tested)).toEqual(['a'])
  })

  it('of thousands at once costs few commits', async () => {
    const tested = await openTested({ answer: () => 'refused' })
    tested.registry.sessionOpened('s')
    const many = Array.from({ length: 2000 }, (_, index) => `i${index}`)
    await Promise.all(many.map(id => register(tested, id, { session: 's' })))
    const { revision } = tested.registry.cursor
    tested.registry.sessionClosed('s')
    await expect.poll(() => ids(tested)).toEqual([])
    expect(tested.registry.cursor.revision - revision).toBeLessThan(20)
  })
})

/** Each of `count` instances with a session of its own, as containers are; and one that has nothing to do with them. */
async function fleet(count: number) {
  const tested = await openTested()
  const names = Array.from({ length: count }, (_, index) => `i${String(index).padStart(3, '0')}`)
  const incarnations = new Map<string, number>()
  for (const id of names) {
    tested.registry.sessionOpened(id)
    incarnations.set(id, (await register(tested, id, { session: id })).incarnation)
  }
  tested.registry.sessionOpened('gateway')
  return { tested, names, incarnations, registry: tested.registry }
}

describe('a network that is cut and heals', () => {
  it.each([5_000, 14_000, 60_000, 600_000])(
    'for %d ms loses nobody who lives, and keeps nobody who died',
    async cutMs => {
      const { tested, names, incarnations, registry } = await fleet(200)
      const dead = new Set(names.filter((_, index) => index % 20 === 7))
      for (const id of names) registry.sessionSilent(id)
      await tested.time.pass(Math.min(cutMs, 15_000))
      // The server closes what stays silent for the time of a lease.
      if (cutMs > 15_000) for (const id of names) registry.sessionClosed(id)
      await tested.time.pass(Math.max(0, cutMs - 15_000))
      expect(ids(tested)).toEqual(names)

      tested.answer = ({ id }) => (dead.has(id) ? 'refused' : 'answered')
      const alive = names.filter(id => !dead.has(id))
      // The last of them has waited out its back-off and a connection that never came about.
      for (const [index, id] of alive.entries()) {
        // Within the time of a lease, a client resumes its session.
        const session = cutMs > 15_000 ? `${id}-again` : id
        registry.sessionOpened(session)
        const { incarnation } = await register(tested, id, { session })
        expect(incarnation).toBe(incarnations.get(id))
        await tested.time.pass(10_000 / alive.length)
        if (index === Math.ceil(alive.length / 10)) expect(ids(tested)).toEqual(alive)
      }
      await tested.time.pass(60_000)
      expect(ids(tested)).toEqual(alive)
      for (const id of alive) expect(kinds(tested, id)).toEqual([])
    },
  )

  it('shows its protection while it lasts: by metric, in the log, in the histories', async () => {
    const { tested, names, registry } = await fleet(4)
    const events: string[] = []
    registry.observe({
      present() {},
      gone() {},
      happened: ({ id }, _, what) => events.push(`${id} ${what}`),
    })
    for (const id of names) registry.sessionSilent(id)
    await tested.time.pass(16_000)
    expect(await tested.metric('portolan_registry_protected')).toBe(4)
    expect(tested.logged).toMatchObject([
      { event: 'protected', service: 'order', scope: 'sessions', all: 4, silent: 4, level: 40 },
    ])
    expect(events.filter(event => event.includes('protected'))).toEqual(
      names.map(id => `${id} protected: too many fell silent together`),
    )
    for (const id of names) registry.sessionAnswered(id)
    await tested.time.pass(1000)
    expect(await tested.metric('portolan_registry_protected')).toBe(0)
    expect(tested.logged).toMatchObject([{}, { event: 'protection-over', service: 'order' }])
    expect(events.filter(event => event.includes('no longer'))).toHaveLength(4)
  })

  it('lets go of those who never come back, the time of a lease later', async () => {
    const { tested, names, registry } = await fleet(10)
    for (const id of names) registry.sessionSilent(id)
    await tested.time.pass(30_000)
    for (const id of names.slice(0, 7)) registry.sessionAnswered(id)
    await tested.time.pass(14_000)
    expect(ids(tested)).toEqual(names)
    await tested.time.pass(2000)
    expect(ids(tested)).toEqual(names.slice(0, 7))
  })

  it('is over for a service of its own accord, whatever its owner says goodbye to', async () => {
    const { tested, names, registry } = await fleet(10)
    for (const id of names) await registry.deregister(nameOf(id), owner)
    expect(ids(tested)).toEqual([])
    await tested.time.pass(20_000)
    expect(tested.logged).toEqual([])
  })
})
