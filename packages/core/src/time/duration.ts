import { Fault } from '../fault/fault.ts'
import type { Milliseconds } from './clock.ts'

const unitInMs: Readonly<Record<string, number>> = {
  ms: 1,
  millisecond: 1,
  milliseconds: 1,
  s: 1000,
  sec: 1000,
  secs: 1000,
  second: 1000,
  seconds: 1000,
  m: 60_000,
  min: 60_000,
  mins: 60_000,
  minute: 60_000,
  minutes: 60_000,
  h: 3_600_000,
  hour: 3_600_000,
  hours: 3_600_000,
  d: 86_400_000,
  day: 86_400_000,
  days: 86_400_000,
}

const shape = /^\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*$/i

/**
 * Reads a duration as people write it: `3s`, `500ms`, `1.5 h`, `3 MINUTES`.
 * A bare number is refused, since nobody can tell its unit.
 * @throws Fault `config_invalid`
 */
export function parseDuration(text: string): Milliseconds {
  const match = shape.exec(text)
  const factor = unitInMs[match?.[2]?.toLowerCase() ?? '']
  const value = Number(match?.[1]) * (factor ?? Number.NaN)
  if (Number.isFinite(value)) return value
  throw new Fault('config_invalid', `"${text}" is not a duration`, {
    source: 'caller',
    hint: 'write a number and a unit: 500ms, 3s, 5m, 1h, "3 MINUTES"',
  })
}

const unitsDown = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const

/** Writes a duration in the largest unit that keeps it whole: 90,000 → `90s`, 60,000 → `1m`. */
export function formatDuration(ms: Milliseconds): string {
  for (const [unit, factor] of unitsDown) {
    if (ms >= factor && ms % factor === 0) return `${ms / factor}${unit}`
  }
  return `${ms}ms`
}
