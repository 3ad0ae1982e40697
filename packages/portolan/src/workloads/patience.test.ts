import { expect, it } from 'vitest'
import { Patience } from './patience.ts'

it('takes a signal that follows at once for an echo, and a later one for impatience', () => {
  const patience = new Patience()
  expect([1000, 1000, 1003, 1499, 1500, 1501].map(now => patience.heard(now))).toEqual([
    'first',
    'echo',
    'echo',
    'echo',
    'again',
    'again',
  ])
})
