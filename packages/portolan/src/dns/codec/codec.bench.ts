/**
 * What the codec costs per message: reading a question, and writing answers of several sizes.
 * Run: node --import tsx --conditions=portolan-source packages/portolan/src/dns/codec/codec.bench.ts
 */
import { Bench } from 'tinybench'
import type { Outgoing } from './message.ts'
import { readQuery } from './read-query.ts'
import type { DnsRecord } from './record.ts'
import { writeMessage } from './write-message.ts'

const name = 'order.portolan'
const question = Buffer.from('056f7264657208706f72746f6c616e0000010001', 'hex')
const head = (additional: number): Buffer => Buffer.from([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, additional])
const plain = Buffer.concat([head(0), question])
const optWithCookie = Buffer.from('00002904d000000000000c000a00080102030405060708', 'hex')
const withEdns = Buffer.concat([head(1), question, optWithCookie])

const address = (index: number): string => `10.0.${index >> 8}.${index & 255}`
const target = (index: number): string => `order-${index}.instance.${name}`
const a = (index: number): DnsRecord => ({ type: 'A', name, ttl: 1, address: address(index) })
const aaaa = (index: number): DnsRecord => ({ type: 'AAAA', name, ttl: 1, address: `2001:db8::${index + 1}` })
const srv = (index: number): DnsRecord => ({
  type: 'SRV',
  name,
  ttl: 1,
  priority: 1,
  weight: 1,
  port: 8080,
  target: target(index),
})
const targetA = (index: number): DnsRecord => ({ ...a(index), name: target(index) })
const many = (count: number, of: (index: number) => DnsRecord) =>
  Array.from({ length: count }, (_, index) => of(index))

function outgoing(
  limit: number,
  answers: readonly DnsRecord[],
  additional: readonly DnsRecord[] = [],
): Outgoing {
  return {
    id: 0x1234,
    recursionDesired: true,
    checkingDisabled: false,
    recursionAvailable: false,
    authoritative: true,
    rcode: 'NOERROR',
    question,
    answers,
    authority: [],
    additional,
    edns: { size: 1232, dnssecOk: false },
    limit,
  }
}

const messages = {
  '1 A': outgoing(1232, many(1, a)),
  '70 A': outgoing(1232, many(70, a)),
  '40 AAAA': outgoing(1232, many(40, aaaa)),
  '3,000 A, cut to 1,232 bytes': outgoing(1232, many(3000, a)),
  '10 SRV with their addresses': outgoing(1232, many(10, srv), many(10, targetA)),
  '1,000 SRV with addresses, over TCP': outgoing(65_535, many(1000, srv), many(1000, targetA)),
  '3,000 A, over TCP': outgoing(65_535, many(3000, a)),
}

const bench = new Bench({ time: 500 })
bench.add('read a plain question', () => readQuery(plain))
bench.add('read a question with a cookie', () => readQuery(withEdns))
for (const [what, message] of Object.entries(messages))
  bench.add(`write ${what}`, () => writeMessage(message))
await bench.run()
for (const { name, result } of bench.tasks) {
  if (result.state === 'completed')
    process.stdout.write(`${name}: ${(result.latency.p50 * 1e3).toFixed(2)} µs\n`)
}
for (const [what, message] of Object.entries(messages))
  process.stdout.write(`${what}: ${writeMessage(message).length} bytes\n`)
