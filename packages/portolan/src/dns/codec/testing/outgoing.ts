import fc from 'fast-check'
import { rcodes } from '../codes.ts'
import type { Outgoing } from '../message.ts'
import { isName } from '../names.ts'
import type { DnsRecord, RecordData } from '../record.ts'

const label = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.constantFrom('portolan', 'order', 'instance', 'ns', '_http', '_tcp', 'i-1', 'a'),
  },
  { weight: 2, arbitrary: fc.stringMatching(/^[a-z0-9-]{1,63}$/) },
  { weight: 1, arbitrary: fc.constantFrom('a\\046b', '\\000', '\\255\\092', 'x'.repeat(63)) },
)
/** Of few labels, so that names end alike. */
const name = fc
  .array(label, { maxLength: 6 })
  .map(labels => labels.join('.'))
  .filter(isName)

const uint16 = fc.nat(0xffff)
const uint32 = fc.nat(0xffffffff)
/** Larger ones count as 0 (RFC 2181 section 8). */
const ttl = fc.nat(0x7fffffff)
const text = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.string({ unit: 'grapheme', maxLength: 30 }).filter(said => Buffer.byteLength(said) <= 255),
  },
  { weight: 1, arbitrary: fc.constantFrom('x'.repeat(255), 'ä'.repeat(127)) },
)

const data: fc.Arbitrary<RecordData> = fc.oneof(
  fc.record({ type: fc.constant('A' as const), address: fc.ipV4() }),
  fc.record({ type: fc.constant('AAAA' as const), address: fc.ipV6() }),
  fc.record({
    type: fc.constant('SRV' as const),
    priority: uint16,
    weight: uint16,
    port: uint16,
    target: name,
  }),
  fc.record({ type: fc.constant('TXT' as const), texts: fc.array(text, { maxLength: 4 }) }),
  fc.record({ type: fc.constantFrom('PTR' as const, 'NS' as const), target: name }),
  fc.record({ type: fc.constant('HINFO' as const), cpu: text, os: text }),
  fc.record({
    type: fc.constant('SOA' as const),
    primary: name,
    mailbox: name,
    serial: uint32,
    refresh: uint32,
    retry: uint32,
    expire: uint32,
    minimum: uint32,
  }),
)

const record: fc.Arbitrary<DnsRecord> = fc
  .tuple(data, name, ttl)
  .map(([said, owner, seconds]) => ({ ...said, name: owner, ttl: seconds }))

/** Ordinary records of one name, as many as make answers large. */
const many: fc.Arbitrary<readonly DnsRecord[]> = fc
  .tuple(fc.nat(400), name, data)
  .map(([count, owner, said]) => Array.from({ length: count }, () => ({ ...said, name: owner, ttl: 1 })))

const records = fc.oneof(
  { weight: 4, arbitrary: fc.array(record, { maxLength: 12 }) },
  { weight: 1, arbitrary: many },
)

/** The bytes of a question, spelt as the dice have it. */
export function questionOf(asked: string, isUpper: (index: number) => boolean = () => false): Buffer {
  const labels = asked === '' ? [] : asked.split('.')
  const bytes = labels.flatMap(part => {
    const said = part.replaceAll(/\\(\d{3})/g, (_, byte: string) => String.fromCharCode(Number(byte)))
    const spelt = [...said].map((char, index) => (isUpper(index) ? char.toUpperCase() : char)).join('')
    return [said.length, ...Buffer.from(/^[!-~]*$/.test(said) ? spelt : said, 'latin1')]
  })
  return Buffer.from([...bytes, 0, 0, 1, 0, 1])
}

const question = fc
  .tuple(name, fc.boolean(), fc.nat(0xffffffff))
  .map(([asked, mixed, dice]) => questionOf(asked, index => mixed && ((dice >>> (index % 32)) & 1) === 1))

const edns = fc.record(
  {
    size: uint16,
    dnssecOk: fc.boolean(),
    cookie: fc.uint8Array({ minLength: 16, maxLength: 40 }),
  },
  { requiredKeys: ['size', 'dnssecOk'] },
)

/** Messages of all kinds, and of all sizes up to those that no limit would let pass. */
export const outgoing: fc.Arbitrary<Outgoing> = fc
  .record(
    {
      id: uint16,
      opcode: fc.nat(15),
      recursionDesired: fc.boolean(),
      checkingDisabled: fc.boolean(),
      recursionAvailable: fc.boolean(),
      authoritative: fc.boolean(),
      truncated: fc.boolean(),
      rcode: fc.constantFrom(...(Object.keys(rcodes) as (keyof typeof rcodes)[])),
      question: fc.option(question, { nil: undefined, freq: 8 }),
      answers: records,
      authority: fc.array(record, { maxLength: 2 }),
      additional: records,
      edns,
      limit: fc.oneof(
        { weight: 1, arbitrary: fc.nat(400) },
        { weight: 6, arbitrary: fc.integer({ min: 400, max: 3_000 }) },
        { weight: 3, arbitrary: fc.nat(70_000) },
      ),
    },
    {
      requiredKeys: [
        'id',
        'recursionDesired',
        'checkingDisabled',
        'recursionAvailable',
        'authoritative',
        'rcode',
        'question',
        'answers',
        'authority',
        'additional',
        'limit',
      ],
    },
  )
  .map(sent => (sent.edns === undefined && rcodes[sent.rcode] > 15 ? { ...sent, rcode: 'SERVFAIL' } : sent))
