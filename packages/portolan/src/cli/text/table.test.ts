import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { table } from './table.ts'

describe('tables', () => {
  it('aligns columns, and pads no line’s end', () => {
    expect(
      table(
        ['ID', 'WEIGHT'],
        [
          ['order-10', '1'],
          ['o', '10'],
        ],
      ),
    ).toBe('ID        WEIGHT\norder-10  1\no         10\n')
  })

  it('counts what a terminal shows: wide signs twice, colours not', () => {
    expect(
      table(
        ['A', 'B'],
        [
          ['\u001b[32mok\u001b[0m', 'x'],
          ['订单', 'y'],
        ],
      ),
    ).toBe('A     B\n\u001b[32mok\u001b[0m    x\n订单  y\n')
  })

  it('has a line for each row, whose cells begin where the head’s do', () => {
    const word = fc.stringMatching(/^[a-z0-9]{1,12}$/)
    fc.assert(
      fc.property(fc.array(fc.tuple(word, word, word), { maxLength: 20 }), rows => {
        const lines = table(['A', 'B', 'C'], rows).split('\n').slice(0, -1)
        expect(lines.length).toBe(rows.length + 1)
        const [head = ''] = lines
        for (const [index, [, b, c]] of rows.entries()) {
          expect(lines[index + 1]?.slice(head.indexOf('B')).startsWith(b)).toBe(true)
          expect(lines[index + 1]?.slice(head.indexOf('C'))).toBe(c)
        }
      }),
    )
  })
})
