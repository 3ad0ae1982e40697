import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findCookie } from './cookies.ts'
import { headOf } from './testing/heads.ts'

function valuesOf(name: string, fields: readonly string[]): string[] {
  const lines = ['GET / HTTP/1.1', 'Host: a', ...fields.map(value => `Cookie: ${value}`), '', '']
  const { bytes, head } = headOf(lines.join('\r\n'))
  const values: string[] = []
  const found = findCookie(bytes, head, name, value => {
    values.push(value)
    return false
  })
  expect(found).toBeUndefined()
  return values
}

/** The same by splitting texts. */
function modelOf(name: string, fields: readonly string[]): string[] {
  const trim = (text: string): string => text.replace(/^[\t ]+|[\t ]+$/g, '')
  return fields
    .flatMap(field => trim(field).split(';'))
    .flatMap(pair => {
      const equals = pair.indexOf('=')
      return equals >= 0 && trim(pair.slice(0, equals)) === name ? [trim(pair.slice(equals + 1))] : []
    })
}

describe('cookies', () => {
  it.each([
    ['sid=1', ['1']],
    ['a=b; sid=1;c=d;sid=2', ['1', '2']],
    ['sid="1"', ['"1"']],
    ['sid=a=b', ['a=b']],
    ['sid=', ['']],
    ['sid', []],
    ['=1; sid =1', ['1']],
    ['asid=1; sids=2; SID=3', []],
    ['sid="a;b"', ['"a']],
    ['', []],
    [';;;', []],
  ])('of %j', (field, values) => {
    expect(valuesOf('sid', [field])).toEqual(values)
  })

  it('are looked at until one is taken', () => {
    const { bytes, head } = headOf(
      'GET / HTTP/1.1\r\nHost: a\r\nCookie: s=1; s=2\r\nX: s=9\r\nCOOKIE: s=3\r\n\r\n',
    )
    const asked: string[] = []
    const take = (wanted: string) => (value: string) => asked.push(value) > 0 && value === wanted
    expect(findCookie(bytes, head, 's', take('2'))).toBe('2')
    expect(asked).toEqual(['1', '2'])
    expect(findCookie(bytes, head, 's', take('3'))).toBe('3')
  })

  it('are found wherever splitting finds them, in whatever a field may hold', () => {
    const piece = fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom('sid', '=', ';', '; ', ' ', '\t', '"', 'x', 'sid=') },
      fc.string({
        unit: fc
          .integer({ min: 0x21, max: 0xff })
          .filter(code => code !== 0x7f)
          .map(code => String.fromCharCode(code)),
      }),
    )
    const field = fc.array(piece, { maxLength: 20 }).map(pieces => pieces.join(''))
    fc.assert(
      fc.property(fc.array(field, { maxLength: 4 }), fields => {
        expect(valuesOf('sid', fields)).toEqual(modelOf('sid', fields))
      }),
    )
  })
})
