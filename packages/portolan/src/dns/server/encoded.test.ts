import { describe, expect, it } from 'vitest'
import type { Answer, Reply } from '../answers/reply.ts'
import { EncodedAnswer, EncodedAnswers } from './encoded.ts'

const record = { name: 'order.portolan', ttl: 1, type: 'A', address: '10.0.0.1' } as const
const answer: Answer = { record, weight: 1, priority: 0, additional: [] }

function replyWith(count: number): { reply: Reply; source: { version: number } } {
  const source = { version: 1 }
  const answers = Array.from({ length: count }, () => answer)
  return { reply: { rcode: 'NOERROR', authoritative: true, answers, authority: [], source }, source }
}

/** Encodes to a number that grows with each draw. */
function counted(count: number) {
  const { reply, source } = replyWith(count)
  let draws = 0
  const encoded = new EncodedAnswer(reply, () => Buffer.from([++draws, 0, 0, 0]))
  return { encoded, source, draws: () => draws }
}

describe('EncodedAnswer', () => {
  it('is drawn once where there is one order', () => {
    for (const count of [0, 1]) {
      const { encoded, draws } = counted(count)
      for (let i = 0; i < 1000; i++) expect(encoded.next()[0]).toBe(1)
      expect(draws()).toBe(1)
    }
  })

  it('gives who asks one after the other different orders', () => {
    const { encoded } = counted(3)
    const eight = Array.from({ length: 8 }, () => encoded.next()[0])
    expect(new Set(eight).size).toBe(8)
  })

  it('draws each order anew after sixteen uses, one at a time', () => {
    const { encoded, draws } = counted(3)
    for (let i = 0; i < 8; i++) encoded.next()
    expect(draws()).toBe(8)
    let most = 0
    for (let i = 0; i < 8 * 160; i++) {
      const before = draws()
      encoded.next()
      most = Math.max(most, draws() - before)
    }
    expect(most).toBe(1)
    expect(draws()).toBe(8 + 80)
  })

  it('holds for as long as its source has not changed', () => {
    const { encoded, source } = counted(3)
    expect(encoded.isCurrent).toBe(true)
    source.version++
    expect(encoded.isCurrent).toBe(false)
  })
})

describe('EncodedAnswers', () => {
  it('gives nothing that no longer holds', () => {
    const answers = new EncodedAnswers(100_000)
    const { encoded, source } = counted(1)
    answers.set('a', encoded)
    expect(answers.get('a')).toBe(encoded)
    source.version++
    expect(answers.get('a')).toBeUndefined()
    expect(answers.get('b')).toBeUndefined()
  })

  it('never holds more bytes than it may, and drops the oldest first', () => {
    const answers = new EncodedAnswers(5000)
    for (let i = 0; i < 1000; i++) {
      answers.set(`key ${i % 37}`, counted(1).encoded)
      expect(answers.bytes).toBeLessThanOrEqual(5000)
    }
    expect(answers.get(`key ${999 % 37}`)).toBeDefined()
    expect(answers.get(`key ${(999 - 20) % 37}`)).toBeUndefined()
  })

  it('counts what is replaced once', () => {
    const answers = new EncodedAnswers(100_000)
    answers.set('a', counted(1).encoded)
    const { bytes } = answers
    answers.set('a', counted(1).encoded)
    expect(answers.bytes).toBe(bytes)
  })
})
