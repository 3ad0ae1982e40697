import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bareAnswer } from '../message/kept-answer.ts'
import { AnswerCache } from './answer-cache.ts'
import type { Kind } from './lifetime.ts'

const answer = (bytes = 20) => bareAnswer(new Uint8Array(bytes), 0)
const failure = bareAnswer(new Uint8Array(20), 2)

function cacheAt(most = 100) {
  let now = 0
  const cache = new AnswerCache(most, { now: () => now })
  return {
    cache,
    pass: (ms: number) => {
      now += ms
    },
    put: (key: string, kind: Kind, seconds: number, kept = answer()) =>
      cache.put(key, kept, { kind, seconds }),
    state: (key: string) => cache.get(key)?.state,
  }
}

describe('the cache of answers', () => {
  it('counts down what is left of an answer', () => {
    const { cache, pass, put } = cacheAt()
    put('a', 'positive', 10)
    pass(8500)
    expect(cache.get('a')).toMatchObject({ state: 'fresh', aging: { goneSeconds: 8 } })
  })

  it('wants an answer anew that is asked for in its last tenth', () => {
    const { pass, put, state } = cacheAt()
    put('a', 'positive', 10)
    pass(8999)
    expect(state('a')).toBe('fresh')
    pass(1)
    expect(state('a')).toBe('ripe')
  })

  it('keeps an answer for an hour beyond its time, as something to fall back on', () => {
    const { cache, pass, put, state } = cacheAt()
    put('a', 'positive', 10)
    put('no', 'negative', 10)
    pass(10_000)
    expect(cache.get('a')).toMatchObject({ state: 'fallback', aging: { leftSeconds: 30 } })
    expect(state('no')).toBe('fallback')
    pass(3_599_999)
    expect(state('a')).toBe('fallback')
    pass(1)
    expect(state('a')).toBeUndefined()
    expect(state('no')).toBeUndefined()
    expect([cache.size, cache.bytes]).toEqual([0, 0])
  })

  it('serves what is stale at once for five seconds after a failure', () => {
    const { pass, put, state } = cacheAt()
    put('a', 'positive', 10)
    pass(20_000)
    put('a', 'failure', 1, failure)
    expect(state('a')).toBe('stale')
    pass(4999)
    expect(state('a')).toBe('stale')
    pass(1)
    expect(state('a')).toBe('fallback')
  })

  it('keeps failures for a second, and never beyond', () => {
    const { cache, pass, put, state } = cacheAt()
    put('a', 'failure', 1, failure)
    pass(999)
    expect(cache.get('a')).toMatchObject({ state: 'fresh', answer: { rcode: 2 } })
    pass(1)
    expect(state('a')).toBeUndefined()
  })

  it('does not ask ahead again so soon when that has failed', () => {
    const { pass, put, state } = cacheAt()
    put('a', 'positive', 100)
    pass(91_000)
    put('a', 'failure', 1, failure)
    expect(state('a')).toBe('fresh')
    pass(5000)
    expect(state('a')).toBe('ripe')
  })

  it('forgets what is not to be kept any more', () => {
    const { put, state, cache } = cacheAt()
    put('a', 'positive', 10)
    put('a', 'positive', 0)
    expect(state('a')).toBeUndefined()
    put('b', 'other', 10)
    expect(cache.size).toBe(0)
  })

  it('drops what was used longest ago', () => {
    const { put, state } = cacheAt(2)
    put('a', 'positive', 10)
    put('b', 'positive', 10)
    expect(state('a')).toBe('fresh')
    put('c', 'positive', 10)
    expect(['a', 'b', 'c'].map(state)).toEqual(['fresh', undefined, 'fresh'])
  })

  it('keeps nothing where it may keep none', () => {
    const { put, state } = cacheAt(0)
    put('a', 'positive', 10)
    expect(state('a')).toBeUndefined()
  })

  it('keeps nothing that is larger than all it may keep', () => {
    const { put, state, cache } = cacheAt(2)
    put('a', 'positive', 10)
    put('b', 'positive', 10, answer(4000))
    expect([state('a'), state('b')]).toEqual(['fresh', undefined])
    expect(cache.size).toBe(1)
  })

  it('is never larger than it may be, and gives what was put last', () => {
    const kind = fc.constantFrom<Kind>('positive', 'negative', 'failure', 'other')
    const step = fc.record({
      key: fc.nat(20),
      kind,
      seconds: fc.nat(100),
      bytes: fc.nat(3000),
      ms: fc.nat(50_000),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 12 }), (steps, most) => {
        const { cache, pass, put } = cacheAt(most)
        for (const { key, bytes, ms, seconds, ...rest } of steps) {
          const kept = answer(bytes)
          put(String(key), rest.kind, seconds, kept)
          const hit = cache.get(String(key))
          if (rest.kind === 'positive' && hit !== undefined) expect(hit.answer).toBe(kept)
          expect(cache.size).toBeLessThanOrEqual(most)
          expect(cache.bytes).toBeLessThanOrEqual(most * 1024)
          pass(ms)
        }
        pass(4_000_000)
        for (let key = 0; key <= 20; key++) expect(cache.get(String(key))).toBeUndefined()
        expect([cache.size, cache.bytes]).toEqual([0, 0])
      }),
    )
  })
})
