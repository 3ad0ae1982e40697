import { describe, expect, it } from 'vitest'
import { LettingGo, onTheWayMs } from './letting-go.ts'

const ttl = 1000
const kept = ttl + onTheWayMs

describe('who is let go of', () => {
  it('when the TTL of the last answer is over, and not before', () => {
    const letting = new LettingGo(ttl)
    letting.drains('a', 500, 600)
    expect(letting.dueAt).toBe(500 + kept)
    expect(letting.isHeld('a', 500 + kept - 1)).toBe(true)
    expect(letting.due(500 + kept - 1)).toEqual([])
    expect(letting.isHeld('a', 500 + kept)).toBe(false)
    expect(letting.due(500 + kept)).toEqual(['a'])
    expect(letting.due(500 + kept)).toEqual([])
    expect(letting.dueAt).toBeUndefined()
  })

  it('at once, without a word, where no answer was given lately, or ever', () => {
    const letting = new LettingGo(ttl)
    letting.drains('a', Number.NEGATIVE_INFINITY, 600)
    letting.drains('b', 600 - kept, 600)
    expect([letting.isHeld('a', 600), letting.isHeld('b', 600)]).toEqual([false, false])
    expect(letting.dueAt).toBeUndefined()
  })

  it('is held no longer by what it is told while it drains', () => {
    const letting = new LettingGo(ttl)
    letting.drains('a', 500, 600)
    letting.drains('a', 900, 900)
    expect(letting.dueAt).toBe(500 + kept)
  })

  it('is forgotten when it drains no more, and waited for anew when it drains again', () => {
    const letting = new LettingGo(ttl)
    letting.drains('a', 500, 600)
    letting.forget('a')
    expect(letting.isHeld('a', 700)).toBe(false)
    expect(letting.dueAt).toBeUndefined()
    letting.drains('a', 5000, 5000)
    expect(letting.dueAt).toBe(5000 + kept)
  })

  it('later where it was named in panic meanwhile, but only while it is waited for', () => {
    const letting = new LettingGo(ttl)
    letting.drains('a', 500, 600)
    letting.panicked(900, 1000)
    expect(letting.dueAt).toBe(900 + kept)
    letting.panicked(200, 1000)
    expect(letting.dueAt).toBe(900 + kept)
    expect(letting.due(900 + kept)).toEqual(['a'])
    letting.panicked(3000, 3000)
    expect(letting.isHeld('a', 3000)).toBe(false)
  })

  it('with TTL 0 as soon as the answer must have come and been gone by', () => {
    const letting = new LettingGo(0)
    letting.drains('a', 500, 500)
    expect(letting.dueAt).toBe(500 + onTheWayMs)
  })

  it('each at its own time', () => {
    const letting = new LettingGo(ttl)
    letting.drains('a', 500, 600)
    letting.drains('b', 700, 800)
    expect(letting.dueAt).toBe(500 + kept)
    expect(letting.due(500 + kept)).toEqual(['a'])
    expect(letting.dueAt).toBe(700 + kept)
    expect(letting.due(5000)).toEqual(['b'])
  })
})
