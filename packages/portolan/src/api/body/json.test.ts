import { Fault } from '@portolan/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseJson } from './json.ts'
import { findJsonError } from './json-error.ts'

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

describe('where a text stops being JSON', () => {
  it.each([
    ['', 1, 1],
    ['{', 1, 2],
    ['{"a":1,}', 1, 8],
    ['{a:1}', 1, 2],
    ['{"a" 1}', 1, 6],
    ['[1 2]', 1, 4],
    ['{"a":x}', 1, 6],
    ['{\n  "port": 08\n}', 2, 11],
    ['{\n  "a": "x\n}', 2, 10],
    ["{'a':1}", 1, 2],
    ['"a" b', 1, 5],
    ['"\\x"', 1, 2],
    ['nul', 1, 1],
  ])('%j: line %d, column %d', (text, line, column) => {
    expect(findJsonError(text)).toMatchObject({ line, column })
  })

  it('agrees with JSON.parse on what is JSON', () => {
    const damaged = fc.tuple(fc.json(), fc.nat(), fc.string({ maxLength: 2 })).map(([text, at, piece]) => {
      const cut = at % (text.length + 1)
      return text.slice(0, cut) + piece + text.slice(cut + 1)
    })
    fc.assert(
      fc.property(fc.oneof(fc.json({ maxDepth: 5 }), damaged), text => {
        expect(findJsonError(text) === undefined).toBe(isJson(text))
      }),
      { numRuns: 1000 },
    )
  })

  it('does not run out of stack', () => {
    expect(findJsonError('['.repeat(1_000_000))?.reason).toContain('nested')
  })
})

describe('reading JSON from peers', () => {
  it('says where it is wrong', () => {
    expect(() => parseJson('{"port": }')).toThrow(/line 1, column 10/)
  })

  it.each(['{"__proto__":{"admin":true}}', '{"\\u005f_proto__":1}', '{"a":{"__proto__":1}}'])(
    'refuses %s',
    text => {
      expect(() => parseJson(text)).toThrow(Fault)
    },
  )

  it('reads a text with a byte order mark', () => {
    expect(parseJson('\uFEFF{"a":1}')).toEqual({ a: 1 })
  })

  it('either reads or throws a Fault of the caller', () => {
    fc.assert(
      fc.property(fc.string(), text => {
        try {
          parseJson(text)
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: 'invalid_request', source: 'caller' })
        }
      }),
    )
  })
})
