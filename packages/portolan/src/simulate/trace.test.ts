import { seededRandom } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import { following, lengthOf, readTrace } from './trace.ts'

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
    expect(readTrace(text.replaceAll('\n', '\r\n'), 'x.csv')).toHaveLength(4)
  })

  it.each([
    ['time,value\n1,2\n', 'x.csv:1: the first line must be "timestamp,value"'],
    ['', 'x.csv:1: '],
    ['timestamp,value\n2026-01-01T00:00:00Z,1\nyesterday,2\n', 'x.csv:3: "yesterday" is no ISO 8601 time'],
    ['timestamp,value\n2026-01-01T00:00:00Z,-1\n', 'x.csv:2: "-1" is no number of at least 0'],
    ['timestamp,value\n2026-01-01T00:00:00Z,\n', 'x.csv:2: "" is no number'],
    ['timestamp,value\n2026-01-01T00:00:00Z,Infinity\n', 'x.csv:2: "Infinity" is no number'],
    [
      'timestamp,value\n2026-01-01T00:01:00Z,1\n2026-01-01T00:00:00Z,1\n',
      'x.csv:3: earlier than the line before it',
    ],
    ['timestamp,value\n2026-01-01T00:01:00Z,1\n', 'two rows at least'],
  ])('is refused with the line that is wrong: %j', (wrong, message) => {
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

  it('gives each policy the same requests', () => {
    const arrivals = following(readTrace(text, 'x.csv'), 10, 100)
    const [one, other] = [arrivals(seededRandom(1)), arrivals(seededRandom(1))]
    const first = Array.from({ length: 200 }, one)
    expect(Array.from({ length: 200 }, other)).toEqual(first)
  })
})
