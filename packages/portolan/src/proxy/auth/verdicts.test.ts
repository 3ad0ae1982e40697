import { describe, expect, it } from 'vitest'
import { Verdicts } from './verdicts.ts'

describe('Verdicts', () => {
  it('remembers for as long as it is told to', () => {
    const verdicts = new Verdicts()
    const key = Verdicts.keyOf(['a', 'b'])
    verdicts.set(key, 'x-user: 1\r\n', 100)
    expect(verdicts.get(key, 99)).toBe('x-user: 1\r\n')
    expect(verdicts.get(key, 100)).toBeUndefined()
    expect(verdicts.get(key, 99)).toBeUndefined()
  })

  it('takes nobody for somebody else', () => {
    const keys = [['ab', 'c'], ['a', 'bc'], ['abc'], ['abc', ''], ['abc', undefined], [], ['1:a;']].map(
      Verdicts.keyOf,
    )
    expect(new Set(keys).size).toBe(keys.length)
  })

  it('forgets the oldest when it knows too many', () => {
    const verdicts = new Verdicts()
    for (let index = 0; index < 10_001; index++) verdicts.set(String(index), '', 1)
    expect(verdicts.get('0', 0)).toBeUndefined()
    expect(verdicts.get('1', 0)).toBe('')
    expect(verdicts.get('10000', 0)).toBe('')
  })
})
