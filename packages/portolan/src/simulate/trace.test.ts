import { seededRandom } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import { following, highestOf, lengthOf, readTrace } from './trace.ts'

const text = `timestamp,value
2026-01-01T00:00:00Z,10
2026-01-01T00:01:00Z,40
2026-01-01T00:02:00Z,0
2026-01-01T00:03:00Z,5
`

describe('a trace', () => {
  it('is read as times from its first row on', () => {
    expect(readTrace(text, 'x.csv')).toEqual([
      { at: 0, value: 10 },
      { at: 60_000, value: 40 },
      { at: 120_000, value: 0 },
      { at: 180_000, value: 5 },
    ])
  })

  it.each([
    ['CRLF', text.replaceAll('\n', '\r\n')],
    ['capitals in the header', text.replace('timestamp,value', 'Timestamp,VALUE')],
    ['spaces in the header', text.replace('timestamp,value', ' timestamp , value ')],
    ['spaces in the rows', text.replaceAll(/,(\d+)/g, ' , $1 ')],
    ['a byte order mark', `\uFEFF${text}`],
    ['empty lines', text.replaceAll('\n', '\n\n')],
    ['a space for the T, and no zone', text.replaceAll('T', ' ').replaceAll('Z', '')],
  ])('may have %s', (_, same) => {
    expect(readTrace(same, 'x.csv')).toEqual(readTrace(text, 'x.csv'))
  })

  it.each(['0', '7', '+7', '7.', '.5', '6.13552e+06', '1e-3', '1e15'])('has decimal values: %s', value => {
    const [sample] = readTrace(`timestamp,value\n2026-01-01,${value}\n2026-01-02,1\n`, 'x.csv')
    expect(sample?.value).toBe(Number(value))
  })

  it.each([
    ['time,value\n1,2\n', 'x.csv:1: the first line must be "timestamp,value"'],
    ['', 'x.csv:1: '],
    ['timestamp,value\n2026-01-01T00:00:00Z,1\nyesterday,2\n', 'x.csv:3: "yesterday" is no ISO 8601 time'],
    ...['0', '12', '31 Jan 2026', '2026-02-30', ''].map(time => [
      `timestamp,value\n${time},1\n`,
      `x.csv:2: "${time}" is no ISO 8601 time`,
    ]),
    ...['-1', '', 'Infinity', 'NaN', '0x10', '0b1', '1_000', '1e308', '1e16', '.', '5 apples'].map(value => [
      `timestamp,value\n2026-01-01T00:00:00Z,${value}\n`,
      `x.csv:2: "${value}" is no decimal number from 0 to 1e15`,
    ]),
    ['timestamp,value\n2026-01-01T00:00:00Z,1,5\n', 'x.csv:2: 3 columns where two belong'],
    ['timestamp,value\n2026-01-01T00:00:00Z\n', 'x.csv:2: 1 column where two belong'],
    [
      'timestamp,value\n2026-01-01,1\n2026-01-01,2\n',
      'x.csv:3: no time passes from the first row to the last',
    ],
    [
      'timestamp,value\n2026-01-01T00:01:00Z,1\n2026-01-01T00:00:00Z,1\n',
      'x.csv:3: earlier than the line before it',
    ],
    ['timestamp,value\n2026-01-01T00:01:00Z,1\n', 'two rows at least'],
  ])('is refused with the line that is wrong: %j', (wrong = '', message = '') => {
    expect(() => readTrace(wrong, 'x.csv')).toThrow(message)
  })

  it('gives requests as its values rise and fall, faster, and the highest as wanted', () => {
    const samples = readTrace(text, 'x.csv')
    const next = following(samples, 10, 100)(seededRandom(1))
    const counts = [0, 0, 0]
    for (let at = next(); at !== undefined && at < 18_000; at = next()) {
      const minute = Math.floor(at / 6000)
      counts[minute] = (counts[minute] ?? 0) + 1
    }
    expect(lengthOf(samples)).toBe(180_000)
    // 25, 100 and 0 requests a second, for 6 s each: within four standard deviations.
    expect(Math.abs((counts[0] ?? 0) - 150)).toBeLessThan(49)
    expect(Math.abs((counts[1] ?? 0) - 600)).toBeLessThan(98)
    expect(counts[2]).toBe(0)
  })

  it('has its highest value where time passes: the last row only ends it', () => {
    const rows = (...values: readonly string[]) => readTrace(`timestamp,value\n${values.join('\n')}`, 'x.csv')
    expect(highestOf(rows('2026-01-01,1', '2026-01-02,2', '2026-01-03,9'))).toBe(2)
    expect(highestOf(rows('2026-01-01,1', '2026-01-02,9', '2026-01-02,2', '2026-01-03,0'))).toBe(2)
    expect(highestOf(rows('2026-01-01,0', '2026-01-02,0', '2026-01-03,9'))).toBe(0)
    const next = following(rows('2026-01-01,1', '2026-01-02,100'), 8640, 100)(seededRandom(1))
    let count = 0
    while (next() !== undefined) count++
    // 100 requests a second for 10 s.
    expect(Math.abs(count - 1000)).toBeLessThan(127)
  })

  it('gives each policy the same requests', () => {
    const arrivals = following(readTrace(text, 'x.csv'), 10, 100)
    const [one, other] = [arrivals(seededRandom(1)), arrivals(seededRandom(1))]
    const first = Array.from({ length: 200 }, one)
    expect(Array.from({ length: 200 }, other)).toEqual(first)
  })
})
