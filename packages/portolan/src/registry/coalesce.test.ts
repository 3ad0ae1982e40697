import { describe, expect, it } from 'vitest'
import { afterPush, dueAt, rested } from './coalesce.ts'

describe('the pace of pushes', () => {
  it('lets the first change after quiet go at once', () => {
    expect(dueAt(rested, 1000, false)).toBe(1000)
    expect(dueAt(afterPush(rested, 1000), 1020, false)).toBe(1020)
  })

  it('holds what follows for 20 ms, and never what is urgent', () => {
    const pace = afterPush(rested, 1000)
    expect(dueAt(pace, 1005, false)).toBe(1020)
    expect(dueAt(pace, 1005, true)).toBe(1005)
  })

  it('stretches to 50 ms under a stream of changes, and recovers after quiet', () => {
    let pace = rested
    let now = 0
    const gaps: number[] = []
    for (let push = 0; push < 8; push++) {
      const due = dueAt(pace, now, false)
      gaps.push(due - now)
      now = due
      pace = afterPush(pace, now)
    }
    expect(gaps[0]).toBe(0)
    expect(gaps[1]).toBe(20)
    expect(gaps.at(-1)).toBe(50)
    expect(gaps).toEqual([...gaps].sort((a, b) => a - b))
    expect(afterPush(pace, now + 101).pauseMs).toBe(20)
  })
})
