import { describe, expect, it } from 'vitest'
import { FreeList } from './free-list.ts'

function listOf() {
  let made = 0
  return new FreeList(() => ({ number: ++made }))
}

describe('a free list', () => {
  it('makes what it has not', () => {
    const list = listOf()
    expect([list.take(), list.take()]).toEqual([{ number: 1 }, { number: 2 }])
  })

  it('gives out first what came back last, and each thing once', () => {
    const list = listOf()
    const [first, second] = [list.take(), list.take()]
    list.give(first)
    list.give(second)
    expect(list.take()).toBe(second)
    expect(list.take()).toBe(first)
    expect(list.take()).toEqual({ number: 3 })
  })

  it('keeps no more than 256', () => {
    const list = listOf()
    const taken = Array.from({ length: 300 }, () => list.take())
    for (const item of taken) list.give(item)
    const again = Array.from({ length: 300 }, () => list.take())
    expect(again.slice(0, 256)).toEqual(taken.slice(0, 256).reverse())
    expect(again.slice(256).map(({ number }) => number)).toEqual(
      Array.from({ length: 44 }, (_, index) => 301 + index),
    )
  })
})
