import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Place, type Places, places } from './script-places.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** Guests by name, and what became of them. */
function party(room: Places) {
  const log: string[] = []
  const guests = new Map<string, Place>()
  return {
    log,
    enter(name: string): void {
      const place = room.enter({
        begin: () => log.push(name),
        full: reason => log.push(`${name} full: ${reason}`),
      })
      guests.set(name, place)
    },
    /** Everybody begins whose turn it is. */
    turns(): void {
      for (let turn = 0; turn < 9; turn++) vi.advanceTimersByTime(1)
    },
    place: (name: string): Place => {
      const place = guests.get(name)
      if (place === undefined) throw new Error(`nobody is called ${name}`)
      return place
    },
  }
}

describe('places for a few scripts', () => {
  it('are had in the order of coming, and given up once', () => {
    const { enter, place, log, turns } = party(places(2))
    for (const name of ['a', 'b', 'c', 'd', 'e']) enter(name)
    expect(log).toEqual([])
    turns()
    expect(log).toEqual(['a', 'b'])
    place('c').leave()
    place('a').leave()
    place('a').leave()
    turns()
    expect(log).toEqual(['a', 'b', 'd'])
    expect([place('d').waiting, place('e').waiting]).toEqual([false, true])
    for (const name of ['b', 'd', 'e']) place(name).leave()
    enter('f')
    enter('g')
    turns()
    expect(log).toEqual(['a', 'b', 'd', 'f', 'g'])
  })

  it('pass on from who does not end by SIGKILL, and there are none once all are taken by such', () => {
    const { enter, place, log, turns } = party(places(2))
    for (const name of ['a', 'b', 'c']) enter(name)
    turns()
    place('a').killed()
    vi.advanceTimersByTime(9_999)
    expect(log).toEqual(['a', 'b'])
    turns()
    expect(log).toEqual(['a', 'b', 'c'])
    place('b').killed()
    vi.advanceTimersByTime(10_000)
    enter('d')
    expect(log).toHaveLength(3)
    vi.runAllTimers()
    expect(log[3]).toMatch(/^d full: 2 scripts cannot be ended, not even by SIGKILL/)
    place('a').leave()
    enter('e')
    turns()
    expect(log[4]).toBe('e')
  })

  it('are not lost to who was killed and left in time', () => {
    const { enter, place, log, turns } = party(places(1))
    enter('a')
    turns()
    place('a').killed()
    place('a').leave()
    vi.runAllTimers()
    for (const name of ['b', 'c']) enter(name)
    turns()
    expect(log).toEqual(['a', 'b'])
  })

  it('are begun at one in each turn of the event loop, and left before that as well', async () => {
    vi.useRealTimers()
    const { enter, place, log } = party(places(4))
    for (const name of ['a', 'b', 'c', 'd', 'e']) enter(name)
    place('b').leave()
    const seen: string[] = []
    for (let turn = 0; turn < 5; turn++) {
      await new Promise(setImmediate)
      seen.push(log.join(''))
    }
    expect(seen).toEqual(['a', 'ac', 'acd', 'acde', 'acde'])
  })

  it('are empty when the last has left, or when nobody waits for it any longer', async () => {
    vi.useRealTimers()
    const room = places(1)
    const { enter, place } = party(room)
    enter('a')
    const began = performance.now()
    await room.empty(40)
    expect(performance.now() - began).toBeGreaterThan(30)
    const empty = room.empty(60_000)
    place('a').leave()
    await empty
    expect(performance.now() - began).toBeLessThan(30_000)
  })
})
