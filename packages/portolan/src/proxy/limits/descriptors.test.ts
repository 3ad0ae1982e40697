import { open } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { countDescriptors, Descriptors } from './descriptors.ts'

describe('the descriptors of the process', () => {
  it('are counted as the system counts them', async () => {
    const before = countDescriptors()
    expect(before.limit).toBeGreaterThan(before.used)
    const files = await Promise.all(Array.from({ length: 20 }, () => open('/dev/null')))
    const used = countDescriptors().used - before.used
    for (const file of files) await file.close()
    // Others of this process may come and go meanwhile.
    expect(used).toBeGreaterThan(10)
    expect(used).toBeLessThan(30)
  })

  it.each([
    [1000, 950, 975],
    [100, 84, 92],
    [20, 10, 15],
    [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
  ])('of %d are short above %d, and exhausted above %d', (limit, short, exhausted) => {
    const at = (used: number) => {
      const { isShort, isExhausted } = new Descriptors(
        () => ({ limit, used }),
        () => 0,
        () => 0,
      )
      return [isShort, isExhausted]
    }
    expect(at(short)).toEqual([false, false])
    if (limit === Number.POSITIVE_INFINITY) return
    expect(at(short + 1)).toEqual([true, false])
    expect(at(exhausted)).toEqual([true, false])
    expect(at(exhausted + 1)).toEqual([true, true])
  })

  it('follow the connections between two counts', () => {
    let connections = 10
    let used = 60
    let now = 0
    const descriptors = new Descriptors(
      () => ({ limit: 100, used }),
      () => connections,
      () => now,
    )
    connections = 50
    expect(descriptors.used).toBe(100)
    connections = 5
    expect(descriptors.used).toBe(55)
    now = 5000
    used = 58
    expect(descriptors.deadline).toBe(5000)
    descriptors.expire()
    expect([descriptors.used, descriptors.deadline]).toEqual([58, 10_000])
  })
})
