import { Fault, type Milliseconds } from '@portolan/core'
import { type Arrivals, poisson } from './arrivals.ts'

/** One row of a trace: milliseconds from its first row, and what was measured. */
export interface Sample {
  readonly at: Milliseconds
  readonly value: number
}

/**
 * Reads `timestamp,value` text: a header, then an ISO 8601 time and a number a line, in order of time.
 * @throws Fault `invalid_request` that names the line
 */
export function readTrace(text: string, name: string): readonly Sample[] {
  const lines = text.split(/\r?\n/)
  if (lines[0]?.trim() !== 'timestamp,value') throw wrong(name, 1, 'the first line must be "timestamp,value"')
  const samples: Sample[] = []
  let from = 0
  for (const [index, line] of lines.entries()) {
    if (index === 0 || line.trim() === '') continue
    const [stamp = '', number = ''] = line.split(',')
    const time = Date.parse(stamp)
    const value = number.trim() === '' ? Number.NaN : Number(number)
    if (Number.isNaN(time)) throw wrong(name, index + 1, `"${stamp.slice(0, 40)}" is no ISO 8601 time`)
    if (!(value >= 0 && value < Number.POSITIVE_INFINITY))
      throw wrong(name, index + 1, `"${number.slice(0, 40)}" is no number of at least 0`)
    if (samples.length === 0) from = time
    const at = time - from
    if (at < (samples.at(-1)?.at ?? 0)) throw wrong(name, index + 1, 'earlier than the line before it')
    samples.push({ at, value })
  }
  if (samples.length < 2) throw wrong(name, lines.length, 'a trace needs two rows at least')
  return samples
}

/** Requests whose rate follows the trace, `speed` times as fast, so that its highest value is `peak` requests a second. */
export function following(samples: readonly Sample[], speed: number, peak: number): Arrivals {
  const highest = samples.reduce((most, { value }) => Math.max(most, value), 0)
  if (highest === 0) return () => () => undefined
  return random => {
    let index = 0
    const rate = (now: Milliseconds): number | undefined => {
      const at = now * speed
      while ((samples[index + 1]?.at ?? Number.POSITIVE_INFINITY) <= at) index++
      return index + 1 < samples.length ? ((samples[index]?.value ?? 0) / highest) * peak : undefined
    }
    return poisson(rate, peak)(random)
  }
}

/** How long a trace lasts. */
export function lengthOf(samples: readonly Sample[]): Milliseconds {
  return samples.at(-1)?.at ?? 0
}

function wrong(name: string, line: number, what: string): Fault {
  return new Fault('invalid_request', `${name}:${line}: ${what}`, {
    source: 'caller',
    hint: 'a trace is text: a line "timestamp,value", then one "2026-01-31T12:00:00Z,42" a line',
  })
}
