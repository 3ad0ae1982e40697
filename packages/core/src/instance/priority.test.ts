import { describe, expect, it } from 'vitest'
import { checkPriority, isPriority, priorityOf } from './priority.ts'

const of = (priority: string | undefined): number =>
  priorityOf({ metadata: priority === undefined ? {} : { priority } })

describe('the priority of an instance', () => {
  it.each(['0', '1', '9'])('is what metadata say: %s', priority => {
    expect(of(priority)).toBe(Number(priority))
    expect(checkPriority(priority)).toBe(priority)
  })

  it('is the first where they say none', () => {
    expect(of(undefined)).toBe(0)
  })

  it.each(['10', '-1', 'a', '1.5', '', ' 1', '01', '١', '1\n'])('is refused, and last, as %j', priority => {
    expect(isPriority(priority)).toBe(false)
    expect(of(priority)).toBe(9)
    expect(() => checkPriority(priority)).toThrow(
      expect.objectContaining({
        code: 'invalid_request',
        message: `metadata.priority: ${JSON.stringify(priority)} is not a priority`,
        hint: expect.stringContaining('a whole number from "0"'),
      }),
    )
  })
})
