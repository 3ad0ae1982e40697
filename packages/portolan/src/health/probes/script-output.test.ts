import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { metricsOf, Tail, tellingLine } from './script-output.ts'

function tailOf(...chunks: (string | Uint8Array)[]): string {
  const tail = new Tail()
  for (const chunk of chunks) tail.add(Buffer.from(chunk as string))
  return tail.text
}

describe('what is kept of an output', () => {
  it('is its last 4 KiB, in whole characters, however it came', () => {
    expect(tailOf('a', 'b\n', 'c\n')).toBe('a' + 'b\nc')
    expect(tailOf('é'.repeat(5000))).toBe('é'.repeat(2048))
    expect(tailOf('x', 'é'.repeat(2047), 'y')).toBe(`x${'é'.repeat(2047)}y`)
    expect(tailOf('xx', '€'.repeat(1365), 'y')).toBe(`${'€'.repeat(1365)}y`)
    const [first, second] = [Buffer.from('€').subarray(0, 1), Buffer.from('€').subarray(1)]
    expect(tailOf(first, second)).toBe('€')
  })

  it('holds nothing that a terminal would obey', () => {
    expect(tailOf('\x1b[31mred\x07\r\nnext\tline\x9b2J \u202egnp.exe\u2028x')).toBe(
      '�[31mred�\nnext\tline�2J �gnp.exe�x',
    )
  })

  it('is bounded and printable for any bytes', () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 6000 }), { maxLength: 6 })
    fc.assert(
      fc.property(chunks, bytes => {
        const text = tailOf(...bytes)
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(4096)
        expect(text).not.toMatch(/[^\P{Cc}\n\t]/u)
      }),
    )
  })
})

describe('metrics in an output', () => {
  it.each([
    ['portolan_metric queue 7', { queue: 7 }],
    ['x\nportolan_metric\tdb.lag-seconds:p99/eu  -1.5e3 \ny', { 'db.lag-seconds:p99/eu': -1500 }],
    ['portolan_metric a 1\nportolan_metric a 2', { a: 2 }],
    ['portolan_metric __proto__ 1', JSON.parse('{"__proto__": 1}')],
    ['portolan_metric a', undefined],
    ['portolan_metric a one', undefined],
    ['portolan_metric a Infinity', undefined],
    ['portolan_metric a 1 2', undefined],
    [' portolan_metric a 1', undefined],
    [`portolan_metric ${'a'.repeat(65)} 1`, undefined],
  ])('%j', (output, expected) => {
    expect(metricsOf(output)).toEqual(expected)
  })

  it('are 64 at most', () => {
    const lines = Array.from({ length: 100 }, (_, index) => `portolan_metric m${index} ${index}`)
    expect(Object.keys(metricsOf(lines.join('\n')) ?? {})).toHaveLength(64)
  })
})

describe('the line that tells most', () => {
  it('is the last that is neither empty nor a metric', () => {
    expect(tellingLine('first\n last \n\nportolan_metric a 1\n')).toBe('last')
    expect(tellingLine('portolan_metric a 1')).toBeUndefined()
    expect(tellingLine('')).toBeUndefined()
  })
})
