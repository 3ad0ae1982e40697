import { expect, it } from 'vitest'
import { DateLine } from './date-line.ts'

it('says the second that it is, in the only form that is still written', () => {
  let now = Date.UTC(1994, 10, 6, 8, 49, 37)
  const date = new DateLine(() => now)
  expect(date.text).toBe('Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n')
  now += 999
  expect(date.text).toBe('Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n')
  now += 1
  expect(date.text).toBe('Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n')
  now -= 3_600_000
  expect(date.text).toBe('Date: Sun, 06 Nov 1994 07:49:38 GMT\r\n')
})
