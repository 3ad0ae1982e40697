import { expect, test } from 'vitest'
import { paced } from './paced.ts'

test('begins so much at a time, all of it in order, whether it fails or not', async () => {
  const run = paced(3)
  const begun: number[] = []
  let underWay = 0
  let most = 0
  for (let index = 0; index < 50; index++) {
    run(async () => {
      begun.push(index)
      underWay += 1
      most = Math.max(most, underWay)
      await new Promise(resolve => setImmediate(resolve))
      underWay -= 1
      if (index % 5 === 0) throw new Error('mine')
    })
  }
  expect(begun).toEqual([0, 1, 2])
  while (underWay > 0) await new Promise(resolve => setImmediate(resolve))
  expect(begun).toEqual(Array.from({ length: 50 }, (_, index) => index))
  expect(most).toBe(3)
  run(async () => void begun.push(50))
  expect(begun.at(-1)).toBe(50)
})
