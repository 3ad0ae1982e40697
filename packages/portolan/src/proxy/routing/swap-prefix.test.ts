import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { swapPrefix } from './swap-prefix.ts'

describe('swapPrefix', () => {
  it.each([
    ['/api/x?y', '/api', '/v2', '/v2/x?y'],
    ['/api', '/api', '/v2', '/v2'],
    ['/api?q', '/api', '/', '/?q'],
    ['/api', '/api', '/', '/'],
    ['/api/x', '/api/', '/v2/', '/v2/x'],
    ['/x', '/', '/new', '/new/x'],
    ['/x', '', '/new', '/new/x'],
    ['', '', '/new', '/new'],
    ['?q', '/', '/', '/?q'],
    ['/a/b', '/a', '/a/a', '/a/a/b'],
  ])('%s without %s is, with %s, %s', (path, prefix, replacement, expected) => {
    expect(swapPrefix(path, prefix, replacement)).toBe(expected)
  })

  it('is undone by the opposite', () => {
    const segments = fc
      .array(fc.stringMatching(/^[a-z]{1,4}$/), { minLength: 1, maxLength: 4 })
      .map(all => `/${all.join('/')}`)
    const rest = fc.tuple(
      fc.constantFrom('', '/', '//'),
      fc.stringMatching(/^[a-z/]{0,6}$/),
      fc.constantFrom('', '?', '?a=/b'),
    )
    fc.assert(
      fc.property(segments, segments, rest, (prefix, other, [slash, below, query]) => {
        const path = `${prefix}${slash === '' ? '' : `${slash}${below}`}${query}`
        expect(swapPrefix(swapPrefix(path, prefix, other), other, prefix)).toBe(path)
      }),
    )
  })
})
