import { expect, it } from 'vitest'
import { Memtable } from './memtable.ts'

const put = (revision: number, key: string, value: string | undefined) => ({
  revision,
  events: [{ key, value }],
})

it('keeps the newest of every key, deletions too, and counts what it keeps', () => {
  const table = new Memtable()
  for (const change of [put(1, 'b', 'old'), put(2, 'a', 'x'), put(3, 'b', undefined)]) table.add(change)
  expect(table.sorted()).toEqual([
    { key: 'a', value: 'x', revision: 2 },
    { key: 'b', value: undefined, revision: 3 },
  ])
  expect([table.size, table.revision]).toEqual([3, 3])
})

it('takes over what came later', () => {
  const [earlier, later] = [new Memtable(), new Memtable()]
  for (const change of [put(1, 'a', 'old'), put(2, 'b', 'stays')]) earlier.add(change)
  later.add(put(3, 'a', 'new'))
  earlier.merge(later)
  expect(earlier.under('a')).toEqual([{ key: 'a', value: 'new', revision: 3 }])
  expect([earlier.size, earlier.revision]).toEqual([10, 3])
  earlier.merge(new Memtable())
  expect(earlier.revision).toBe(3)
})
