import type { Endpoint, LocalBalancer } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import { answerLines, type Seat, type Seats, Stay } from './stay.ts'

const endpoint = (id: string): Endpoint => ({ id }) as Endpoint
const [a, b, c] = [endpoint('a'), endpoint('b'), endpoint('c')]

function seatsOf(...endpoints: readonly Endpoint[]): Seats {
  const seats = new Map<string, Seat>(
    endpoints.map(one => [one.id, { endpoint: one, value: `v-${one.id}`, line: `L-${one.id}\r\n` }]),
  )
  return {
    counts: { kept: 0, busy: 0, moved: 0, lost: 0, invalid: 0, new: 0 },
    named: value => seats.get(value.replace(/^(?:v|old)-/, '')),
    seatOf: ({ id }) => seats.get(id),
    isSigned: value => /^(?:v|old)-/.test(value),
  }
}

/** A balancer of which only these may be picked. */
function balancerOf(...able: readonly Endpoint[]) {
  const claimed: Endpoint[] = []
  const balancer = {
    mayPick: (one: Endpoint) => able.includes(one),
    claim: (one: Endpoint) => able.includes(one) && claimed.push(one) > 0,
  } as unknown as LocalBalancer
  return { balancer, claimed }
}

const parting = (of: Endpoint, failure = 'lost', reused = true, answering = false) => ({
  endpoint: of,
  failure,
  connection: { reused, answering },
})

describe('a stay', () => {
  it.each([
    ['at home', 'v-a', [a, b], a, a, 'kept', ''],
    ['at home, with a cookie of an older key', 'old-a', [a, b], a, a, 'kept', 'L-a\r\n'],
    ['whose home may not be picked', 'v-a', [b], undefined, b, 'moved', 'L-b\r\n'],
    ['whose home has gone', 'v-c', [a, b], undefined, b, 'lost', 'L-b\r\n'],
    ['with a cookie of somebody else', 'x', [a, b], undefined, b, 'invalid', 'L-b\r\n'],
    ['without a cookie', undefined, [a, b], undefined, b, 'new', 'L-b\r\n'],
    ['answered by one that has gone since', undefined, [a, b], undefined, c, 'new', ''],
    ['whose home had no room', 'v-a', [a, b], a, b, 'busy', ''],
    ['whose home had no room, with an older cookie', 'old-a', [a, b], a, b, 'busy', ''],
  ] as const)('%s', (_, cookie, able, taken, answering, result, line) => {
    const seats = seatsOf(a, b)
    const stay = new Stay(seats, cookie)
    expect(stay.take(balancerOf(...able).balancer, false, undefined)).toBe(taken)
    expect(stay.lineBy(answering, [])).toBe(line)
    expect(seats.counts).toEqual({ kept: 0, busy: 0, moved: 0, lost: 0, invalid: 0, new: 0, [result]: 1 })
  })

  it('waits behind those in line, and belongs home all the same', () => {
    const seats = seatsOf(a, b)
    const stay = new Stay(seats, 'v-a')
    const { balancer, claimed } = balancerOf(a, b)
    expect(stay.take(balancer, true, undefined)).toBeUndefined()
    expect(claimed).toEqual([])
    expect(stay.lineBy(b, [])).toBe('')
    expect(seats.counts.busy).toBe(1)
  })

  it.each([
    ['refused', true, false],
    ['connect-timeout', false, false],
    ['lost', false, false],
    ['lost', true, true],
    ['response-timeout', true, false],
  ])('ends by %s (on a kept connection: %s, in its answer: %s)', (failure, reused, answering) => {
    const seats = seatsOf(a, b)
    const stay = new Stay(seats, 'v-a')
    const { balancer } = balancerOf(a, b)
    stay.take(balancer, false, undefined)
    expect(stay.take(balancer, false, parting(a, failure, reused, answering))).toBeUndefined()
    expect(stay.lineBy(b, [a])).toBe('L-b\r\n')
    expect(seats.counts.moved).toBe(1)
  })

  it('goes on after one kept connection that parted, and not after two', () => {
    const seats = seatsOf(a, b)
    const stay = new Stay(seats, 'v-a')
    const { balancer } = balancerOf(a, b)
    stay.take(balancer, false, undefined)
    expect(stay.take(balancer, false, parting(a))).toBe(a)
    expect(stay.take(balancer, false, parting(a))).toBeUndefined()
    expect(stay.lineBy(b, [a, a])).toBe('L-b\r\n')
  })

  it('ends when home answered so that the request was tried elsewhere', () => {
    const seats = seatsOf(a, b)
    const stay = new Stay(seats, 'v-a')
    stay.take(balancerOf(a, b).balancer, false, undefined)
    expect(stay.lineBy(b, [a])).toBe('L-b\r\n')
    expect(seats.counts.moved).toBe(1)
  })

  it('adds its line to those of filters', () => {
    const seats = seatsOf(a, b)
    expect(answerLines(undefined, undefined, a, [])).toBe('')
    expect(answerLines({ answerLines: 'X: y\r\n' }, undefined, a, [])).toBe('X: y\r\n')
    expect(answerLines({ answerLines: 'X: y\r\n' }, new Stay(seats, undefined), a, [])).toBe(
      'X: y\r\nL-a\r\n',
    )
  })
})
