import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Fault } from '../fault/fault.ts'
import { formatDuration, parseDuration } from './duration.ts'

describe('parseDuration', () => {
  it.each([
    ['500ms', 500],
    ['3s', 3000],
    ['3 MINUTES', 180_000],
    ['1.5 h', 5_400_000],
    [' 10 sec ', 10_000],
    ['0s', 0],
    ['2d', 172_800_000],
    ['0.5ms', 0.5],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  it.each([
    '',
    '3',
    's',
    '-1s',
    '3 s s',
    '3 fortnights',
    '1e3s',
    '1.s',
    'NaNs',
    'Infinity s',
    '3 constructor',
    `${'9'.repeat(400)}s`,
  ])('refuses "%.40s"', text => {
    expect(() => parseDuration(text)).toThrow(Fault)
    expect(() => parseDuration(text)).toThrow(
      expect.objectContaining({ code: 'config_invalid', hint: expect.stringContaining('500ms') }),
    )
  })
})

describe('formatDuration', () => {
  it.each([
    [0, '0ms'],
    [1, '1ms'],
    [1500, '1500ms'],
    [90_000, '90s'],
    [60_000, '1m'],
    [5_400_000, '90m'],
    [86_400_000, '1d'],
  ])('writes %d ms', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })

  it('is undone by parseDuration', () => {
    fc.assert(
      fc.property(fc.nat(1e12), ms => {
        expect(parseDuration(formatDuration(ms))).toBe(ms)
      }),
    )
  })
})
