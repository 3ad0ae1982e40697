import { type Answer, decode, encode } from 'dns-packet'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { a, messageSaying, reading, soa } from '../testing/answers.ts'
import { questionBytes } from '../testing/queries.ts'
import { readAnswer, readHead } from './answer-reading.ts'

const question = questionBytes('a.example', 1)
const opt: Answer = {
  type: 'OPT',
  name: '.',
  udpPayloadSize: 1232,
  extendedRcode: 1,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
}
const everything: Answer[] = [
  a('a.example'),
  { type: 'AAAA', name: 'a.example', ttl: 1, data: '2001:db8::1' },
  { type: 'CNAME', name: 'a.example', ttl: 2, data: 'b.example' },
  { type: 'MX', name: 'a.example', ttl: 3, data: { preference: 1, exchange: 'mail.example' } },
  { type: 'SRV', name: 'a.example', ttl: 4, data: { port: 1, target: 'b.example', priority: 0, weight: 0 } },
  { type: 'TXT', name: 'a.example', ttl: 5, data: ['one', 'two'] },
  { type: 'PTR', name: 'a.example', ttl: 6, data: 'b.example' },
  { type: 'HINFO', name: 'a.example', ttl: 7, data: { cpu: 'x', os: '' } },
  { type: 'CAA', name: 'a.example', ttl: 8, data: { flags: 0, tag: 'issue', value: 'ca.example' } },
  soa('example', 9, 10),
]

function readOf(message: Buffer) {
  const head = readHead(message)
  return head && readAnswer(message, head)
}

describe('reading an answer', () => {
  it('finds every record where it is', () => {
    const message = messageSaying(7, question, {
      answers: everything,
      authorities: [a('x.example', 11)],
      additionals: [opt],
    })
    const read = reading(message)
    expect(read).toMatchObject({ id: 7, edns: true, rcode: 16 })
    expect(Buffer.compare(read.question, question)).toBe(0)
    expect(read.records.map(({ ttl }) => ttl)).toEqual([60, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11])
    expect(read.records.map(({ section }) => section).filter(section => section === 'authority').length).toBe(
      1,
    )
    expect(read.end).toBe(message.length - 11)
  })

  it('follows names back through a message', () => {
    const bytes = Buffer.concat([
      messageSaying(1, question, {}),
      Buffer.from('c00c000500010000003c0004', 'hex'),
      Buffer.from('0162c00e', 'hex'),
    ])
    bytes.writeUInt16BE(1, 6)
    expect(decode(bytes).answers).toMatchObject([{ name: 'a.example', data: 'b.example' }])
    expect(reading(bytes).records).toMatchObject([{ type: 5, ttl: 60 }])
  })

  it.each([
    ['a pointer to itself', 'c01b00010001000000000004c0000201'],
    ['a pointer ahead', 'c02000010001000000000004c0000201'],
    ['a pointer into the header', 'c00000010001000000000004c0000201'],
    ['a label of a kind that there is not', '8000010001000000000004c0000201'],
    ['an address of three bytes', 'c00c00010001000000000003c00002'],
    ['data beyond the end', 'c00c00010001000000000005c0000201'],
    ['a TXT string beyond its data', 'c00c001000010000000000020561'],
    ['a CNAME in more bytes than it takes', 'c00c00050001000000000003c00c00'],
    ['nothing', ''],
  ])('refuses %s', (_, record) => {
    const bytes = Buffer.concat([messageSaying(1, question, {}), Buffer.from(record, 'hex')])
    bytes.writeUInt16BE(1, 6)
    expect(readOf(bytes)).toBeUndefined()
  })

  it('refuses a name that is made of a TTL, which will be another one', () => {
    const two = (owner: string) => {
      const records = `c00c0001000101610000${'0004c0000201'}${owner}00010001000000000004c0000201`
      const bytes = Buffer.concat([messageSaying(1, question, {}), Buffer.from(records, 'hex')])
      bytes.writeUInt16BE(2, 6)
      return readOf(bytes)
    }
    expect(two('c00c')?.records.length).toBe(2)
    expect(two('c021')).toBeUndefined()
  })

  it('refuses a name that goes on where it is used', () => {
    // Data of a type that we know nothing of: a label that reaches beyond it, into the record that points to it.
    const opaque = '00ff01000100000000000308ffff'
    const at = 12 + question.length + 11
    const owner = (0xc000 | at).toString(16)
    const records = `${opaque}${owner}00010001000000000004c0000201`
    const bytes = Buffer.concat([messageSaying(1, question, {}), Buffer.from(records, 'hex')])
    bytes.writeUInt16BE(2, 6)
    expect(readOf(bytes)).toBeUndefined()
  })

  it('refuses two OPT records, and one among the answers', () => {
    expect(readOf(messageSaying(1, question, { additionals: [opt, opt] }))).toBeUndefined()
    expect(readOf(messageSaying(1, question, { answers: [opt] }))).toBeUndefined()
  })

  it('leaves out what stands behind the OPT record', () => {
    const read = reading(
      messageSaying(1, question, { additionals: [a('one.example'), opt, a('two.example')] }),
    )
    expect(read.records.length).toBe(1)
  })

  it('takes no time for pointers that lead to pointers', () => {
    const record = Buffer.from('c00c00010001000000000004c0000201', 'hex')
    const chain = Buffer.alloc(40_000)
    const start = 12 + question.length
    for (let at = 0; at < chain.length; at += 2) {
      const target = at === 0 ? 12 : start + 12 + at - 2
      chain.writeUInt16BE(0xc000 | Math.min(target, 0x3fff), at)
    }
    const opaque = Buffer.from('00fe00010000000000', 'hex')
    const length = Buffer.alloc(2)
    length.writeUInt16BE(chain.length)
    const many = Array.from({ length: 1400 }, () => {
      const last = Buffer.from(record)
      last.writeUInt16BE(0xc000 | 0x3ff0, 0)
      return last
    })
    const bytes = Buffer.concat([
      messageSaying(1, question, {}),
      Buffer.from('00', 'hex'),
      opaque.subarray(1),
      length,
      chain,
      ...many,
    ])
    bytes.writeUInt16BE(1 + many.length, 6)
    const from = performance.now()
    expect(readOf(bytes)).toBeUndefined()
    expect(performance.now() - from).toBeLessThan(1000)
  })

  it('reads the records that dns-packet reads', () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray(everything),
        fc.shuffledSubarray(everything),
        (answers, authorities) => {
          const message = messageSaying(1, question, { answers, authorities })
          const theirs = decode(message)
          const ttls = [...(theirs.answers ?? []), ...(theirs.authorities ?? [])].map(
            record => 'ttl' in record && record.ttl,
          )
          expect(reading(message).records.map(({ ttl }) => ttl)).toEqual(ttls)
        },
      ),
    )
  })

  it('answers any bytes with a reading or with none', () => {
    const whole = messageSaying(1, question, { answers: everything, additionals: [opt] })
    const change = fc.record({ at: fc.nat(whole.length - 1), to: fc.nat(255) })
    let read = 0
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat(whole.length), (changes, cut) => {
        const bytes = Buffer.from(whole)
        for (const { at, to } of changes) bytes[at] = to
        const ours = readOf(cut % 3 === 0 ? bytes.subarray(0, cut) : bytes)
        if (ours === undefined) return
        read++
        for (const { dataAt, end } of ours.records) expect(end).toBeGreaterThanOrEqual(dataAt)
        expect(ours.end).toBeLessThanOrEqual(bytes.length)
      }),
      { numRuns: 5000 },
    )
    fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), bytes => void readOf(Buffer.from(bytes))))
    expect(read).toBeGreaterThan(100)
  })
})

describe('the head of an answer', () => {
  it.each([
    ['a query', encode({ type: 'query', id: 1, questions: [{ name: 'a', type: 'A' }] })],
    [
      'another opcode',
      encode({ type: 'response', id: 1, flags: 0x2000, questions: [{ name: 'a', type: 'A' }] }),
    ],
    [
      'two questions',
      encode({
        type: 'response',
        questions: [
          { name: 'a', type: 'A' },
          { name: 'b', type: 'A' },
        ],
      }),
    ],
    ['half a header', Buffer.alloc(7)],
    ['no bytes', Buffer.alloc(0)],
  ])('refuses %s', (_, message) => {
    expect(readHead(message)).toBeUndefined()
  })
})
