import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatTraceparent, isTracestate, parseTraceparent } from './trace-context.ts'

const traceId = '0af7651916cd43dd8448eb211c80319c'
const parentId = 'b7ad6b7169203331'
const rest = `${traceId}-${parentId}`

describe('traceparent', () => {
  it('is read', () => {
    expect(parseTraceparent(`00-${rest}-01`)).toEqual({ traceId, parentId, sampled: true, random: false })
    expect(parseTraceparent(`00-${rest}-02`)).toEqual({ traceId, parentId, sampled: false, random: true })
    expect(parseTraceparent(`00-${rest}-fe`)).toMatchObject({ sampled: false })
  })

  it('is read like version 00 where its version is a later one', () => {
    expect(parseTraceparent(`cc-${rest}-01`)).toMatchObject({ traceId, sampled: true })
    expect(parseTraceparent(`cc-${rest}-01-what-the-future-brings`)).toMatchObject({ traceId })
  })

  it.each([
    ['nothing', ''],
    ['version ff', `ff-${rest}-01`],
    ['more than version 00 has', `00-${rest}-01-x`],
    ['a trailing dash', `00-${rest}-01-`],
    ['a later version that runs on', `cc-${rest}-01x`],
    ['capitals', `00-${rest.toUpperCase()}-01`],
    ['no trace', `00-${'0'.repeat(32)}-${parentId}-01`],
    ['no parent', `00-${traceId}-${'0'.repeat(16)}-01`],
    ['short', `00-${rest}-1`],
    ['a space', ` 00-${rest}-01`],
    ['two in one', `00-${rest}-01, 00-${rest}-01`],
    ['no digits', `00-${traceId.replace('0', 'g')}-${parentId}-01`],
  ])('is none: %s', (_, text) => {
    expect(parseTraceparent(text)).toBeUndefined()
  })

  it('reads what it writes, and refuses or understands anything', () => {
    const hex = (length: number) =>
      fc
        .array(fc.constantFrom(...'0123456789abcdef'), { minLength: length, maxLength: length })
        .map(digits => digits.join(''))
        .filter(text => !/^0+$/.test(text))
    fc.assert(
      fc.property(hex(32), hex(16), fc.boolean(), fc.boolean(), (trace, parent, sampled, random) => {
        const said = { traceId: trace, parentId: parent, sampled, random }
        expect(parseTraceparent(formatTraceparent(said))).toEqual(said)
      }),
    )
    fc.assert(fc.property(fc.string(), text => void parseTraceparent(text)))
  })
})

describe('tracestate', () => {
  it.each([
    [[]],
    [['']],
    [['congo=t61rcWkgMzE']],
    [['rojo=00f067aa0ba902b7,congo=t61rcWkgMzE']],
    [['rojo=1, congo=2 ,,', '\tone@two=3']],
    [['a='.padEnd(258, 'x')]],
    [[Array.from({ length: 32 }, (_, index) => `k${index}=1`).join()]],
  ])('takes %j', fields => {
    expect(isTracestate(fields)).toBe(true)
  })

  it.each([
    [['congo']],
    [['=1']],
    [['congo=']],
    [['Congo=1']],
    [['congo=1=2']],
    [['congo=\x7f']],
    [['congo=ü']],
    [['rojo=1', 'rojo=2']],
    [['a='.padEnd(259, 'x')]],
    [[Array.from({ length: 33 }, (_, index) => `k${index}=1`).join()]],
  ])('refuses %j', fields => {
    expect(isTracestate(fields)).toBe(false)
  })
})
