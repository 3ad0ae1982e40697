import { describe, expect, it } from 'vitest'
import type { Clock } from '../../time/clock.ts'
import { policyNames } from '../policies.ts'
import { benchPick, benchUpdate } from './bench-pick.ts'

/** Whatever reads the clock twice takes 1 ms, then 2, 3 and 4. */
function climbing(): { readonly clock: Clock; readonly readings: () => number } {
  let now = 0
  let reading = 0
  const clock = {
    now: () => {
      reading++
      if (reading % 2 === 0) now += reading / 2
      return now
    },
  }
  return { clock, readings: () => reading }
}

describe('benchPick', () => {
  it.each(policyNames)('divides the time of a round by its picks, and takes the median round: %s', name => {
    const { clock, readings } = climbing()
    expect(benchPick(name, 10, clock, { rounds: 3, picks: 1000 })).toBe(3000)
    expect(readings()).toBe(8)
  })
})

describe('benchUpdate', () => {
  it.each(policyNames)('takes the median update: %s', name => {
    const { clock, readings } = climbing()
    expect(benchUpdate(name, 20, clock, 3)).toBe(3000)
    expect(readings()).toBe(8)
  })
})
