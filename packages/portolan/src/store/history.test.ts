import { describe, expect, it } from 'vitest'
import { History } from './history.ts'
import type { Change } from './store.ts'

const change = (revision: number, size = 0): Change => ({
  revision,
  events: [{ key: 'k', value: 'v'.repeat(size) }],
})

describe('History', () => {
  it('keeps the newest changes, at most as many as it was told', () => {
    const history = new History(10, { changes: 3 })
    for (const revision of [11, 15, 20, 21]) history.append(change(revision))
    expect([history.at(0), history.at(1)?.revision, history.at(3)?.revision, history.at(4)]).toEqual([
      undefined,
      15,
      21,
      undefined,
    ])
    expect([history.floor, history.newest, history.end]).toEqual([11, 21, 4])
  })

  it('keeps no more characters than it was told, but always the newest change', () => {
    const history = new History(0, { bytes: 100 })
    for (let revision = 1; revision <= 5; revision++) history.append(change(revision, 40))
    expect(history.floor).toBe(3)
    history.append(change(6, 5_000))
    expect([history.floor, history.at(5)?.revision]).toEqual([5, 6])
    history.append(change(7, 40))
    expect(history.floor).toBe(6)
  })

  it('finds the first change after a revision, with gaps between revisions', () => {
    const history = new History(0, { changes: 4 })
    for (const revision of [2, 4, 8, 16, 32, 64]) history.append(change(revision))
    const found = [4, 8, 9, 31, 32, 63, 64].map(revision => history.at(history.after(revision))?.revision)
    expect(found).toEqual([8, 16, 16, 32, 64, 64, undefined])
  })

  it('starts with nothing to tell and nothing missed', () => {
    const history = new History(7)
    expect([history.floor, history.newest, history.at(history.after(7))]).toEqual([7, 7, undefined])
  })
})
