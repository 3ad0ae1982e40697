import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readTimestamp } from './timestamp.ts'

describe('a timestamp', () => {
  it.each([
    ['2026-01-31', '2026-01-31T00:00:00.000Z'],
    ['2026-01-31T12:00', '2026-01-31T12:00:00.000Z'],
    ['2026-01-31T12:00:05', '2026-01-31T12:00:05.000Z'],
    ['2026-01-31 12:00:05', '2026-01-31T12:00:05.000Z'],
    ['2026-01-31T12:00:05.25Z', '2026-01-31T12:00:05.250Z'],
    ['2026-01-31t12:00:05z', '2026-01-31T12:00:05.000Z'],
    ['2026-01-31T12:00:05+02:00', '2026-01-31T10:00:05.000Z'],
    ['2026-01-31 12:00:05-0130', '2026-01-31T13:30:05.000Z'],
    ['2026-01-31T12:00+02', '2026-01-31T10:00:00.000Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
    ['0099-12-31', '0099-12-31T00:00:00.000Z'],
  ])('is a day, or a day and a time, in UTC unless it says otherwise: %s', (text, same) => {
    expect(new Date(readTimestamp(text) ?? Number.NaN).toISOString()).toBe(same)
  })

  it('keeps what is finer than a millisecond', () => {
    const from = readTimestamp('2026-01-31T12:00:05.000000Z') ?? 0
    expect((readTimestamp('2026-01-31T12:00:05.000250Z') ?? 0) - from).toBeCloseTo(0.25, 3)
  })

  it.each([
    '',
    '0',
    '12',
    '1767225600000',
    '2026',
    '2026-01',
    '31 Jan 2026',
    '01/31/2026',
    '2026-1-31',
    '2026-02-30',
    '2026-02-29',
    '2026-04-31T00:00:00Z',
    '2026-13-01',
    '2026-00-10',
    '2026-01-00',
    '2026-01-31T24:00:00Z',
    '2026-01-31T12:60:00Z',
    '2026-01-31T12:00:60Z',
    '2026-01-31T12',
    '2026-01-31T12:00:00.Z',
    '2026-01-31T12:00:00+2',
    '2026-01-31T12:00:00+24:00',
    '2026-01-31T12:00:00+02:60',
    '2026-01-31Z',
    '2026-01-31  12:00:00',
    '2026-01-31T12:00:00Z tomorrow',
    '+002026-01-31',
  ])('is nothing else: %j', text => {
    expect(readTimestamp(text)).toBeUndefined()
  })

  it('is what a Date says, for every day that there is', () => {
    const days = fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
    fc.assert(
      fc.property(days, day => {
        expect(readTimestamp(day.toISOString())).toBe(day.getTime())
      }),
    )
  })
})
