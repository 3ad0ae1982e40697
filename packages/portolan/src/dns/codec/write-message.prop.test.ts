import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Outgoing } from './message.ts'
import { readName } from './names.ts'
import { leastSize, readBack, type Written } from './testing/dns-packet-reading.ts'
import { outgoing, questionOf } from './testing/outgoing.ts'
import { writeMessage } from './write-message.ts'

function written(sent: Outgoing): Written & { readonly size: number; readonly records: number } {
  const bytes = writeMessage(sent)
  const counts = readBack(sent, bytes)
  return { ...counts, size: bytes.length, records: counts.answers + counts.authority + counts.additional }
}

describe('writeMessage', () => {
  it('is read as it was meant, record by record, and TC says what was cut', () => {
    const seen = { whole: 0, cut: 0, dropped: 0 }
    fc.assert(
      fc.property(outgoing, sent => {
        const { answers, authority, additional } = written(sent)
        if (answers < sent.answers.length) seen.cut++
        else if (authority + additional < sent.authority.length + sent.additional.length) seen.dropped++
        else seen.whole++
      }),
      { numRuns: 500 },
    )
    expect(Math.min(seen.whole, seen.cut, seen.dropped)).toBeGreaterThan(10)
  })

  it('never has fewer records in more room, and none left out where all fit', () => {
    fc.assert(
      fc.property(outgoing, fc.nat(3_000), (sent, more) => {
        const small = written(sent)
        const large = written({ ...sent, limit: sent.limit + more })
        expect(large.records).toBeGreaterThanOrEqual(small.records)
        expect(large.answers).toBeGreaterThanOrEqual(small.answers)
        const whole = written({ ...sent, limit: 65_535 })
        const enough = written({ ...sent, limit: whole.size })
        expect(enough).toEqual(whole)
        if (whole.records === 0) return
        const least = written({ ...sent, limit: whole.size - 1 })
        expect(least.records).toBe(whole.records - 1)
        expect(written({ ...sent, limit: 0 }).size).toBe(leastSize(sent))
      }),
      { numRuns: 300 },
    )
  })

  it('is the same for every spelling of the question, but for the question’s bytes', () => {
    fc.assert(
      fc.property(outgoing, fc.nat(0xffffffff), (sent, dice) => {
        if (sent.question === undefined) return
        const name = readName(Buffer.concat([Buffer.alloc(12), sent.question]), 12)?.text ?? ''
        const spelling = questionOf(name, index => ((dice >>> (index % 32)) & 1) === 1)
        const bytes = writeMessage({ ...sent, question: spelling })
        expect(bytes.subarray(12, 12 + spelling.length)).toEqual(spelling)
        bytes.set(sent.question, 12)
        expect(bytes.equals(writeMessage(sent))).toBe(true)
      }),
      { numRuns: 300 },
    )
  })
})
