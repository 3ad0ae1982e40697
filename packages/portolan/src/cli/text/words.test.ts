import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { splitWords } from './words.ts'

const words = (line: string): readonly string[] => splitWords(line, '--check')

describe('a command line without a shell', () => {
  it.each([
    ['./check.sh  a b', ['./check.sh', 'a', 'b']],
    [`check 'a b' "c d"`, ['check', 'a b', 'c d']],
    [`check a' b'"c"`, ['check', 'a bc']],
    [`check "" ''`, ['check', '', '']],
    ['check a\\ b \\"', ['check', 'a b', '"']],
    [`check "a\\"b\\n" 'c\\d'`, ['check', 'a"b\\n', 'c\\d']],
    ['check $HOME * ; | `id` #', ['check', '$HOME', '*', ';', '|', '`id`', '#']],
    ['  ', []],
  ])('%s', (line, expected) => {
    expect(words(line)).toEqual(expected)
  })

  it('says what is not closed', () => {
    expect(() => words(`check "a`)).toThrow(`--check check "a: a " is not closed`)
    expect(() => words('check \\')).toThrow('ends with a backslash')
  })

  it('gives back what was quoted, whatever it is', () => {
    const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 5 }), list => {
        expect(words(list.map(quoted).join(' '))).toEqual(list)
      }),
    )
  })
})
