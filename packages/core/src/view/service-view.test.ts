import { describe, expect, it } from 'vitest'
import { anIllInstance, anInstance } from '../balance/testing/sets.ts'
import { Fault } from '../fault/fault.ts'
import type { Instance } from '../instance/instance.ts'
import type { DepartureReason } from '../session/messages.ts'
import {
  applyLeaves,
  applyMessage,
  confirmedCount,
  type DeltaMessage,
  markFresh,
  markStale,
  nextLeave,
  type ServiceView,
  type SnapshotMessage,
  unknownView,
} from './service-view.ts'

const order = { namespace: 'default', service: 'order' }

function snapshot(cursor: string, ...instances: readonly (string | Instance)[]): SnapshotMessage {
  const whole = instances.map(instance => (typeof instance === 'string' ? anInstance(instance) : instance))
  return { type: 'snapshot', ...order, cursor, instances: whole }
}

function delta(
  cursor: string,
  put: readonly Instance[],
  gone: readonly string[] = [],
  reason: DepartureReason = 'goodbye',
): DeltaMessage {
  return { type: 'delta', ...order, cursor, put, gone: gone.map(id => ({ id, reason })) }
}

function ids(view: ServiceView): string {
  return view.set.instances.map(({ id }) => id).join('')
}

function viewOf(...names: readonly string[]): ServiceView {
  return applyMessage(unknownView(order), snapshot('e.10', ...names), 0)
}

describe('a service view', () => {
  it('is empty and stale before the first snapshot, which it takes whole and in order', () => {
    const unknown = unknownView(order)
    expect(unknown).toMatchObject({ stale: true, leaving: [], set: { ...order, instances: [] } })
    expect(applyMessage(unknown, delta('e.5', [anInstance('a')]), 0)).toBe(unknown)

    const view = applyMessage(unknown, snapshot('e.10', 'c', 'a', 'b'), 0)
    expect(view.stale).toBe(false)
    expect(view.set.cursor).toEqual({ epoch: 'e', revision: 10 })
    expect(ids(view)).toBe('abc')
    expect(nextLeave(view)).toBeUndefined()
  })

  it('applies deltas: puts in order, departures with a reason at once', () => {
    const view = applyMessage(
      viewOf('b', 'd'),
      delta('e.11', [anInstance('e'), anInstance('a'), anInstance('c')]),
      0,
    )
    expect(ids(view)).toBe('abcde')
    const heavier = applyMessage(view, delta('e.12', [anInstance('c', { weight: 9 })], ['a', 'e', 'zz']), 0)
    expect(ids(heavier)).toBe('bcd')
    expect(heavier.set.instances[1]?.weight).toBe(9)
    expect(heavier.set.cursor.revision).toBe(12)
    expect(ids(view)).toBe('abcde')
  })

  it('ignores deltas of another epoch and of older revisions', () => {
    const view = viewOf('a', 'b')
    expect(applyMessage(view, delta('other.99', [], ['a']), 0)).toBe(view)
    expect(applyMessage(view, delta('e.9', [], ['a']), 0)).toBe(view)
    expect(ids(applyMessage(view, delta('e.10', [], ['a']), 0))).toBe('b')
  })

  it('ignores an older snapshot of its epoch, takes an equal one, and any of another epoch', () => {
    const view = viewOf('a')
    expect(applyMessage(view, snapshot('e.9', 'a', 'b'), 0)).toBe(view)
    expect(ids(applyMessage(view, snapshot('e.10', 'a', 'b'), 0))).toBe('ab')
    const other = applyMessage(view, snapshot('f.1', 'a', 'c'), 0)
    expect(ids(other)).toBe('ac')
    expect(other.set.cursor).toEqual({ epoch: 'f', revision: 1 })
    expect(applyMessage(other, delta('e.50', [], ['a']), 0)).toBe(other)
  })

  it('keeps the last set while no registry answers', () => {
    const view = viewOf('a', 'b')
    const stale = markStale(view)
    expect(stale).toEqual({ ...view, stale: true })
    expect(markStale(stale)).toBe(stale)
    expect(markFresh(stale, 5)).toEqual(view)
    expect(markFresh(view, 5)).toBe(view)
    expect(applyMessage(stale, delta('e.11', [anInstance('c')]), 0).stale).toBe(false)
    expect(applyMessage(stale, delta('f.11', [anInstance('c')]), 0)).toBe(stale)
  })

  it('lets healthy instances that a snapshot lacks leave in steps', () => {
    const view = applyMessage(viewOf(...'abcdefghij'), snapshot('f.1'), 1000)
    expect(ids(view)).toBe('abcdefghij')
    expect(confirmedCount(view)).toBe(0)
    expect(nextLeave(view)).toBe(2500)
    expect(applyLeaves(view, 2499)).toBe(view)

    const seen: string[] = []
    let current = view
    for (let at = nextLeave(current); at !== undefined; at = nextLeave(current)) {
      current = applyLeaves(current, at)
      seen.push(ids(current))
    }
    expect(seen).toEqual(['cdefghij', 'efghij', 'ghij', 'ij', ''])
    expect(current.leaving).toEqual([])
  })

  it('drops at once what carried a cause before it vanished', () => {
    const before = applyMessage(
      unknownView(order),
      snapshot('e.1', anIllInstance('a', 'draining'), anIllInstance('b', 'tcp'), anInstance('c')),
      0,
    )
    const view = applyMessage(before, snapshot('e.2'), 0)
    expect(ids(view)).toBe('c')
    expect(view.leaving).toEqual([{ id: 'c', at: 7500 }])
  })

  it('keeps one that reappears, by snapshot or delta, and drops one that says goodbye', () => {
    const leaving = applyMessage(viewOf('a', 'b', 'c', 'd'), snapshot('f.1', 'a'), 0)
    expect(leaving.leaving.map(({ id }) => id)).toEqual(['b', 'c', 'd'])
    const back = applyMessage(leaving, delta('f.2', [anInstance('b', { incarnation: 2 })], ['c']), 100)
    expect(back.leaving.map(({ id }) => id)).toEqual(['d'])
    expect(ids(back)).toBe('abd')
    const all = applyMessage(back, snapshot('f.3', 'a', 'b', 'd'), 200)
    expect(all.leaving).toEqual([])
    expect(ids(applyLeaves(all, 1e9))).toBe('abd')
  })

  it('does not put off who is leaving when another snapshot lacks them too', () => {
    const first = applyMessage(viewOf('a', 'b', 'c'), snapshot('f.1', 'a', 'c'), 0)
    const second = applyMessage(first, snapshot('f.2', 'a'), 5000)
    expect(second.leaving).toEqual([
      { id: 'b', at: 7500 },
      { id: 'c', at: 12_500 },
    ])
  })

  it('lets nobody leave while stale, and gives them the whole time when the registry is back', () => {
    const leaving = markStale(applyMessage(viewOf('a', 'b'), snapshot('f.1', 'a'), 0))
    expect(nextLeave(leaving)).toBeUndefined()
    expect(applyLeaves(leaving, 1e6)).toBe(leaving)
    const back = markFresh(leaving, 1e6)
    expect(back.leaving).toEqual([{ id: 'b', at: 1e6 + 7500 }])
  })

  it('refuses a message without a cursor', () => {
    expect(() => applyMessage(viewOf('a'), snapshot('nonsense'), 0)).toThrow(Fault)
    expect(() => applyMessage(viewOf('a'), delta('', []), 0)).toThrow(Fault)
  })
})
