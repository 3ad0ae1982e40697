import { seededRandom } from '@portolan/core'
import { afterEach, describe, expect, test } from 'vitest'
import { FixedResolver } from '../testing/fixed-resolver.ts'
import { instanceOf } from '../testing/scripted-registry.ts'
import { VirtualTime } from '../testing/virtual-time.ts'
import { type Members, openMembers } from './members.ts'

let members: Members | undefined
afterEach(() => members?.close())

function open() {
  const resolver = new FixedResolver()
  const time = new VirtualTime()
  resolver.set([instanceOf('order', 'order-1'), instanceOf('order', 'order-2')])
  const name = { namespace: 'default', service: 'order' }
  const opened = openMembers(
    resolver,
    { name, balance: { policy: 'random' }, caller: {}, outliers: {}, firstSetMs: 100, onSet: () => {} },
    { clock: time, random: seededRandom(7), timers: time },
  )
  members = opened
  return { resolver, time, members: opened }
}

/** A pick of that very instance; those of others on the way count as cancelled. */
function pickOf(of: Members, id: string) {
  for (let count = 0; count < 200; count++) {
    const endpoint = of.pick(undefined)
    if (endpoint.id === id) return endpoint
    of.ended(endpoint, 'cancelled')
  }
  return undefined
}

function end(of: Members, id: string, how: Parameters<Members['ended']>[1], times = 1): void {
  for (let time = 0; time < times; time++) {
    const endpoint = pickOf(of, id)
    if (endpoint === undefined) throw new Error(`${id} is not picked`)
    of.ended(endpoint, how, how === 'response' ? 503 : 0)
  }
}

test('an answer that turns the request away ejects nobody', () => {
  const { members: of } = open()
  end(of, 'order-1', 'pushback', 50)
  expect(pickOf(of, 'order-1')).toBeDefined()
  end(of, 'order-1', 'response', 5)
  expect(pickOf(of, 'order-1')).toBeUndefined()
})

describe('what calls found', () => {
  test('is reported about once a second, and nothing when there were none', () => {
    const { resolver, time, members: of } = open()
    time.advance(10_000)
    expect(time.pending).toBe(0)
    end(of, 'order-1', 'success', 3)
    end(of, 'order-2', 'success', 1)
    time.advance(899)
    expect(resolver.reports).toEqual([])
    time.advance(201)
    expect(resolver.reports).toHaveLength(1)
    expect(resolver.reports[0]?.outcomes).toEqual([
      { id: 'order-1', incarnation: 1, ok: 3, failed: 0 },
      { id: 'order-2', incarnation: 1, ok: 1, failed: 0 },
    ])
    expect(resolver.reports[0]?.overMs).toBeGreaterThan(899)
    time.advance(10_000)
    expect(resolver.reports).toHaveLength(1)
    expect(time.pending).toBe(0)
  })

  test('is reported at once when it makes an instance suspect', () => {
    const { resolver, members: of } = open()
    end(of, 'order-1', 'response', 2)
    expect(resolver.reports.map(({ outcomes }) => outcomes)).toEqual([
      [{ id: 'order-1', incarnation: 1, ok: 0, failed: 1, reason: 'answered 503' }],
    ])
  })

  test('takes an instance out, for as long as it says, and lets it in for one call on trial', () => {
    const { time, members: of } = open()
    end(of, 'order-1', 'refused')
    expect(pickOf(of, 'order-1')).toBeUndefined()
    time.advance(999)
    expect(pickOf(of, 'order-1')).toBeUndefined()
    time.advance(1)
    const trial = pickOf(of, 'order-1')
    if (trial === undefined) throw new Error('no trial')
    expect(pickOf(of, 'order-1')).toBeUndefined()
    of.ended(trial, 'timeout')
    time.advance(1999)
    expect(pickOf(of, 'order-1')).toBeUndefined()
    time.advance(1)
    end(of, 'order-1', 'success')
    end(of, 'order-1', 'success', 10)
  })

  test('leaves nothing behind when the service is closed', () => {
    const { time, resolver, members: of } = open()
    end(of, 'order-1', 'refused')
    const before = resolver.reports.length
    of.close()
    expect(time.pending).toBe(0)
    time.advance(5000)
    expect(resolver.reports).toHaveLength(before)
  })
})
