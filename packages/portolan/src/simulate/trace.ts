import { Fault, type Milliseconds } from '@portolan/core'
import { type Arrivals, poisson } from './arrivals.ts'
import { readTimestamp } from './timestamp.ts'

const highestValue = '1e15'
const decimal = /^\+?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i

/** One row of a trace: milliseconds from its first row, and what was measured. */
export interface Sample {
  readonly at: Milliseconds
  readonly value: number
}

/**
 * Reads `timestamp,value` text: a header, then an ISO 8601 time and a number a line, in order of time. docs/balancing.md
 * has the rules.
 * @param name what errors call the file
 * @throws Fault `invalid_request` that names the line
 */
export function readTrace(text: string, name: string): readonly Sample[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  if (!/^\s*timestamp\s*,\s*value\s*$/i.test(lines[0] ?? ''))
    throw wrong(name, 1, 'the first line must be "timestamp,value"')
  const samples: Sample[] = []
  let [from, last] = [0, 1]
  for (const [index, line] of lines.entries()) {
    if (index === 0 || line.trim() === '') continue
    last = index + 1
    const { time, value } = readRow(line, what => wrong(name, last, what))
    if (samples.length === 0) from = time
    const at = time - from
    if (at < lengthOf(samples)) throw wrong(name, last, 'earlier than the line before it')
    samples.push({ at, value })
  }
  if (samples.length < 2) throw wrong(name, last, 'a trace needs two rows at least')
  if (lengthOf(samples) === 0) throw wrong(name, last, 'no time passes from the first row to the last')
  return samples
}

function readRow(line: string, fault: (what: string) => Fault): { time: Milliseconds; value: number } {
  const cells = line.split(',').map(cell => cell.trim())
  const [stamp = '', number = ''] = cells
  const time = readTimestamp(stamp)
  if (time === undefined) throw fault(`"${stamp.slice(0, 40)}" is no ISO 8601 time`)
  if (cells.length !== 2)
    throw fault(`${cells.length} ${cells.length === 1 ? 'column' : 'columns'} where two belong`)
  const value = decimal.test(number) ? Number(number) : Number.NaN
  if (!(value <= Number(highestValue)))
    throw fault(`"${number.slice(0, 40)}" is no decimal number from 0 to ${highestValue}`)
  return { time, value }
}

/** The highest value that lasts for some time; the last row only says when the trace ends. */
export function highestOf(samples: readonly Sample[]): number {
  return samples.reduce(
    (most, { at, value }, index) => (at < (samples[index + 1]?.at ?? at) ? Math.max(most, value) : most),
    0,
  )
}

/** Requests whose rate follows the trace, `speed` times as fast, so that its highest value is `peak` requests a second. */
export function following(samples: readonly Sample[], speed: number, peak: number): Arrivals {
  const highest = highestOf(samples)
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
    hint: 'a trace is text: a line "timestamp,value", then one "2026-01-31T12:00:00Z,42" a line (docs/balancing.md)',
  })
}
