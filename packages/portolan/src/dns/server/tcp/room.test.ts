import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Guest, Room } from './room.ts'

interface Visitor extends Guest {
  isBusy: boolean
  isLively: boolean
}

const visitor = (client: string): Visitor => ({ client, isBusy: false, isLively: false })

function roomWith(most: number, mostPerClient: number, ...guests: Visitor[]): Room<Visitor> {
  const room = new Room<Visitor>(most, mostPerClient)
  for (const guest of guests) room.enter(guest)
  return room
}

describe('who gives way to another connection', () => {
  it('is nobody while there is a place', () => {
    const room = roomWith(4, 2, visitor('a'), visitor('b'), visitor('b'))
    expect(room.inTheWayOf('a')).toBeUndefined()
    expect(room.inTheWayOf('c')).toBeUndefined()
  })

  it('is the longest idle one of the same client, when that has all that it may have', () => {
    const [first, second, other] = [visitor('a'), visitor('a'), visitor('b')]
    const room = roomWith(10, 2, other, first, second)
    expect(room.inTheWayOf('a')).toBe(first)
    room.stir(first)
    expect(room.inTheWayOf('a')).toBe(second)
    second.isBusy = true
    expect(room.inTheWayOf('a')).toBe(first)
    first.isBusy = true
    expect(room.inTheWayOf('a')).toBe('full')
    expect(room.inTheWayOf('b')).toBeUndefined()
  })

  it('is none of the same client that has asked just now, but may be one of another', () => {
    const [first, second] = [visitor('a'), visitor('a')]
    const room = roomWith(2, 2, first, second)
    second.isLively = true
    expect(room.inTheWayOf('a')).toBe(first)
    first.isLively = true
    expect(room.inTheWayOf('a')).toBe('full')
    expect(room.inTheWayOf('b')).toBe(first)
  })

  it('is the longest idle one of the client that has most, when all places are taken', () => {
    const [light, heavy, heavier] = [visitor('light'), visitor('heavy'), visitor('heavy')]
    const room = roomWith(3, 3, light, heavy, heavier)
    expect(room.inTheWayOf('new')).toBe(heavy)
    expect(room.inTheWayOf('light')).toBe(heavy)
    heavy.isBusy = true
    expect(room.inTheWayOf('new')).toBe(heavier)
    heavier.isBusy = true
    expect(room.inTheWayOf('new')).toBe(light)
    light.isBusy = true
    expect(room.inTheWayOf('new')).toBe('full')
  })

  it('is the longest idle one of all, when all have as many', () => {
    const guests = ['a', 'b', 'c'].map(client => visitor(client))
    const room = roomWith(3, 3, ...guests)
    expect(room.inTheWayOf('new')).toBe(guests[0])
    room.leave(guests[0] as Visitor)
    room.enter(visitor('new'))
    expect(room.inTheWayOf('newer')).toBe(guests[1])
  })

  it('is who it should be after whatever has happened', () => {
    const step = fc.record({
      what: fc.constantFrom('come', 'go', 'stir', 'busy', 'lively'),
      who: fc.nat(30),
      client: fc.nat(4),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), steps => {
        const [most, mostPerClient] = [8, 3]
        const room = new Room<Visitor>(most, mostPerClient)
        // The same in plain words: an array, the longest idle first.
        let there: Visitor[] = []
        const having = (client: string) => there.filter(guest => guest.client === client)
        const expected = (client: string): Visitor | 'full' | undefined => {
          const free = (guests: readonly Visitor[]) => guests.find(({ isBusy }) => !isBusy)
          if (having(client).length >= mostPerClient) {
            const own = free(having(client))
            return own === undefined || own.isLively ? 'full' : own
          }
          if (there.length < most) return undefined
          const highest = Math.max(...there.map(guest => having(guest.client).length))
          const heaviest = there.filter(guest => having(guest.client).length === highest)
          return free(heaviest) ?? free(there) ?? 'full'
        }
        for (const { what, who, client } of steps) {
          const name = `c${client}`
          const one = there[who % Math.max(1, there.length)]
          if (what === 'come') {
            const inTheWay = room.inTheWayOf(name)
            expect(inTheWay).toBe(expected(name))
            if (inTheWay === 'full') continue
            if (inTheWay !== undefined) {
              room.leave(inTheWay)
              there = there.filter(guest => guest !== inTheWay)
            }
            const guest = visitor(name)
            room.enter(guest)
            there.push(guest)
          } else if (one !== undefined && what === 'go') {
            room.leave(one)
            room.leave(one)
            there = there.filter(guest => guest !== one)
          } else if (one !== undefined && what === 'stir') {
            room.stir(one)
            there = [...there.filter(guest => guest !== one), one]
          } else if (one !== undefined && what === 'lively') {
            one.isLively = !one.isLively
          } else if (one !== undefined) {
            one.isBusy = !one.isBusy
          }
          expect([...room]).toEqual(there)
          expect(room.size).toBe(there.length)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('does not stir whom it has let go', () => {
    const guest = visitor('a')
    const room = roomWith(1, 1, guest)
    room.leave(guest)
    room.stir(guest)
    expect(room.size).toBe(0)
  })
})
