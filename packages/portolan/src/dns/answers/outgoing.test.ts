import { seededRandom } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import { instanceOf } from '../../proxy/testing/static-resolver.ts'
import { writeMessage } from '../codec/write-message.ts'
import { givenDirectory } from '../directory/testing/given.ts'
import { shop } from '../directory/testing/shop.ts'
import { outgoingOf } from './outgoing.ts'
import type { Reply } from './reply.ts'
import { ask, queryFor, sending } from './testing/ask.ts'

const none: Reply = { rcode: 'NXDOMAIN', authoritative: true, answers: [], authority: [], source: shop }

describe('a reply on its way out', () => {
  it('repeats what the query said, and says what we are', () => {
    const query = { ...queryFor('order.portolan'), checkingDisabled: true }
    expect(outgoingOf(none, query, { ...sending, recursionAvailable: true })).toEqual({
      id: 7,
      recursionDesired: true,
      checkingDisabled: true,
      recursionAvailable: true,
      authoritative: true,
      rcode: 'NXDOMAIN',
      question: query.question,
      answers: [],
      authority: [],
      additional: [],
      limit: 1232,
    })
  })

  it('has an OPT record where the query has one', () => {
    const edns = { size: 4096, dnssecOk: true, cookie: undefined }
    const query = { ...queryFor('order.portolan'), edns }
    expect(outgoingOf(none, query, sending).edns).toEqual({ size: 1232, dnssecOk: true })
    expect(outgoingOf(none, queryFor('order.portolan'), sending).edns).toBeUndefined()
  })

  it('has the records that go along in the order of the answers, each once', () => {
    const directory = givenDirectory([
      ...[80, 81, 82].map(port => instanceOf('order', `i-${port}`, port)),
      instanceOf('order', 'other', 80, { addresses: ['10.0.0.1'] }),
    ])
    const reply = ask(directory, 'order.service.consul', 'SRV') ?? none
    const { answers, additional } = outgoingOf(reply, queryFor('order.service.consul'), sending)
    expect(answers).toHaveLength(4)
    const targets = answers.map(record => (record.type === 'SRV' ? record.target : ''))
    expect(additional.map(({ name }) => name)).toEqual([...new Set(targets)])
  })
})

describe('three thousand instances', () => {
  const directory = givenDirectory(
    Array.from({ length: 3000 }, (_, index) =>
      instanceOf('order', `order-${index}`, 8080, { addresses: [`10.1.${index >> 8}.${index & 255}`] }),
    ),
  )

  it.each([
    ['A', 512, 29],
    ['A', 1232, 73],
    ['SRV', 1232, 20],
  ] as const)('%s in %d bytes: some of them, and the word that there are more', (type, limit, least) => {
    const reply = ask(directory, 'order.portolan', type) ?? none
    const query = queryFor('order.portolan', limit)
    const seen = new Set<string>()
    for (let sent = 0; sent < 20; sent++) {
      const outgoing = outgoingOf(reply, query, { ...sending, limit, random: seededRandom(sent) })
      const message = writeMessage(outgoing)
      expect(outgoing.answers.length).toBeLessThan(100)
      expect(message.length).toBeLessThanOrEqual(limit)
      expect(message.length).toBeGreaterThan(limit - 80)
      expect((message[2] ?? 0) & 0x02, 'TC').toBe(0x02)
      expect(message.readUInt16BE(6)).toBeGreaterThanOrEqual(least)
      for (const record of outgoing.answers.slice(0, message.readUInt16BE(6)))
        seen.add(JSON.stringify(record))
    }
    expect(seen.size).toBeGreaterThan(least * 10)
  })

  it('are all there over TCP, addresses at least', () => {
    const reply = ask(directory, 'order.portolan') ?? none
    const message = writeMessage(outgoingOf(reply, queryFor('order.portolan'), { ...sending, limit: 65_535 }))
    expect(message.readUInt16BE(6)).toBe(3000)
    expect((message[2] ?? 0) & 0x02).toBe(0)
    expect(message.length).toBe(12 + 20 + 3000 * 16)
  })

  it('take milliseconds, drawn and made anew', () => {
    const query = queryFor('order.portolan', 1232)
    const began = performance.now()
    const times = 20
    for (let round = 0; round < times; round++) {
      for (const type of ['A', 'SRV'] as const)
        outgoingOf(ask(directory, 'order.portolan', type) ?? none, query, sending)
    }
    // About 5 ms for both; on a busy machine twenty times that. This only catches what grows by the square.
    expect((performance.now() - began) / times).toBeLessThan(400)
  })
})
