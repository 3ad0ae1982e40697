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
    [1000, 950, 962, 987],
    [100, 84, 88, 96],
    [20, 10, 12, 17],
  ])('of %d are short above %d, tight above %d, and exhausted above %d', (limit, short, tight, exhausted) => {
    const at = (used: number) => {
      const { isShort, isTight, isExhausted } = new Descriptors(
        () => ({ limit, used }),
        () => 0,
        () => 0,
      )
      return [isShort, isTight, isExhausted]
    }
    expect(at(short)).toEqual([false, false, false])
    expect(at(short + 1)).toEqual([true, false, false])
    expect(at(tight)).toEqual([true, false, false])
    expect(at(tight + 1)).toEqual([true, true, false])
    expect(at(exhausted)).toEqual([true, true, false])
    expect(at(exhausted + 1)).toEqual([true, true, true])
  })

  it('are never short where nobody knows how many there may be', () => {
    const endless = { limit: Number.POSITIVE_INFINITY, used: 0 }
    const { isShort, isExhausted } = new Descriptors(
      () => endless,
      () => 1e9,
      () => 0,
    )
    expect([isShort, isExhausted]).toEqual([false, false])
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
