import type { ServiceName } from '@portolan/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KnownServices } from './known-services.ts'

const named = (service: string): ServiceName => ({ namespace: 'default', service })
const listed = (known: KnownServices) => known.list.map(({ service }) => service)
const remembering = { rememberMs: 1000, rememberMost: 3 }

describe('which services are known', () => {
  it('those in which somebody is registered, and for a while those that were', () => {
    const known = new KnownServices(remembering)
    known.populated(named('b'), true, 0)
    known.populated(named('a'), true, 0)
    expect(listed(known)).toEqual(['a', 'b'])
    known.populated(named('a'), false, 100)
    expect(known.forgetsAt).toBe(1100)
    known.forget(1099)
    expect(listed(known)).toEqual(['a', 'b'])
    known.forget(1100)
    expect(listed(known)).toEqual(['b'])
    expect(known.forgetsAt).toBeUndefined()
  })

  it('one that comes back in time was never away, and its time begins anew when it goes again', () => {
    const known = new KnownServices(remembering)
    known.populated(named('a'), true, 0)
    const before = known.list
    known.populated(named('a'), false, 100)
    expect(known.list).toBe(before)
    known.populated(named('a'), true, 900)
    known.forget(5000)
    expect(known.list).toBe(before)
    known.populated(named('a'), false, 6000)
    known.forget(6999)
    expect(known.list).toBe(before)
  })

  it('forgets in the order in which they went last', () => {
    const known = new KnownServices(remembering)
    for (const name of ['a', 'b']) known.populated(named(name), true, 0)
    known.populated(named('a'), false, 0)
    known.populated(named('a'), true, 100)
    known.populated(named('b'), false, 500)
    known.populated(named('a'), false, 900)
    known.forget(1500)
    expect(listed(known)).toEqual(['a'])
  })

  it('those that are declared, until they are declared no more', () => {
    const known = new KnownServices(remembering)
    known.declare([named('a'), named('b')])
    known.populated(named('b'), true, 0)
    known.declare([named('c')])
    expect(listed(known)).toEqual(['b', 'c'])
  })

  it('remembers no more than so many that have gone: the last', () => {
    const known = new KnownServices(remembering)
    for (const name of ['a', 'b', 'c', 'd']) known.populated(named(name), true, 0)
    for (const name of ['d', 'c', 'b', 'a']) known.populated(named(name), false, 10)
    expect(listed(known)).toEqual(['a', 'b', 'c'])
  })

  it('of one that was never there it does not know when it is said to be empty', () => {
    const known = new KnownServices(remembering)
    expect(known.populated(named('a'), false, 0)).toBe(false)
    expect(known.list).toEqual([])
  })

  it('gives the same list while nothing changes, and is right after thousands of changes that nobody asked for', () => {
    const known = new KnownServices({ rememberMs: 1000, rememberMost: 10 })
    for (let count = 0; count < 5000; count++) {
      known.populated(named(`s${count}`), true, count)
      known.populated(named(`s${count}`), false, count)
    }
    const { list } = known
    expect(list.map(({ service }) => service)).toEqual(
      Array.from({ length: 10 }, (_, index) => `s${4990 + index}`),
    )
    expect(known.list).toBe(list)
  })

  it('agrees with a plain model, whatever happens', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('populated' as const), at: fc.nat(5), is: fc.boolean() }),
      fc.record({ kind: fc.constant('declare' as const), at: fc.nat(5), is: fc.boolean() }),
      fc.record({ kind: fc.constant('pass' as const), at: fc.nat(700), is: fc.boolean() }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), steps => {
        const known = new KnownServices({ rememberMs: 1000, rememberMost: 100 })
        const populated = new Set<string>()
        const until = new Map<string, number>()
        let declared = new Set<string>()
        let now = 0
        for (const { kind, at, is } of steps) {
          const name = `s${at}`
          if (kind === 'pass') now += at
          else if (kind === 'declare') {
            declared = is ? new Set([name]) : new Set()
            known.declare([...declared].map(named))
          } else {
            known.populated(named(name), is, now)
            if (populated.has(name) && !is) until.set(name, now + 1000)
            if (is) populated.add(name)
            else populated.delete(name)
          }
          known.forget(now)
          const remembered = [...until].filter(([, end]) => end > now).map(([key]) => key)
          expect(listed(known)).toEqual([...new Set([...populated, ...declared, ...remembered])].sort())
        }
      }),
    )
  })
})
