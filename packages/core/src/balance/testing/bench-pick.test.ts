import { describe, expect, it } from 'vitest'
import { policyNames } from '../policies.ts'
import { benchPick, benchUpdate } from './bench-pick.ts'

describe('benchPick', () => {
  it.each(policyNames)('divides the time of a round by its picks, and takes the median round: %s', name => {
    // Every round reads the clock twice; they take 1, 2, 3 and 4 ms.
    let now = 0
    let reading = 0
    const clock = {
      now: () => {
        reading++
        if (reading % 2 === 0) now += reading / 2
        return now
      },
    }
    expect(benchPick(name, 10, clock, { rounds: 3, picks: 1000 })).toBe(3000)
    expect(reading).toBe(8)
  })
})

describe('benchUpdate', () => {
  it.each(policyNames)('takes the median update: %s', name => {
    let now = 0
    let reading = 0
    const clock = {
      now: () => {
        reading++
        if (reading % 2 === 0) now += reading / 2
        return now
      },
    }
    expect(benchUpdate(name, 20, clock, 3)).toBe(3000)
    expect(reading).toBe(8)
  })
})
