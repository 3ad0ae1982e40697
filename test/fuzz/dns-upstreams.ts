import { type Random, seededRandom } from '@portolan/core'
import packet from 'dns-packet'
import { judge } from '../../packages/portolan/src/dns/forward/cache/lifetime.ts'
import {
  type ReadAnswer,
  readAnswer,
  readHead,
} from '../../packages/portolan/src/dns/forward/message/answer-reading.ts'
import { cutTo } from '../../packages/portolan/src/dns/forward/message/cutting.ts'
import { fresh, keepAnswer, replyTo } from '../../packages/portolan/src/dns/forward/message/kept-answer.ts'
import { queryFor, withEdns } from '../../packages/portolan/src/dns/forward/testing/queries.ts'
import { answers } from '../../packages/portolan/src/dns/forward/upstream/exchange.ts'
import type { Fuzzer, Outcome } from './fuzzer.ts'

const query = queryFor('www.example.com', 1, withEdns)
/** As it was put to the upstream. */
const asked = { id: 1, question: query.question }
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')

/** What upstreams send, the owner's name left out: type, class, TTL, length and data. */
const records = [
  '0001 0001 0000003c 0004 c0000201',
  '001c 0001 00000e10 0010 20010db8000000000000000000000001',
  '0005 0001 00000014 0002 c010',
  '0005 0001 80000014 0006 03777733 c010',
  '000f 0001 0000003c 0004 000a c010',
  '0002 0001 00000000 0005 026e73 c010',
  '0006 0001 0000003c 0020 026e73 c010 04726f6f74 c010 00000001 00000002 00000003 00000004 0000000a',
  '0010 0001 0000003c 0006 0261620263 64',
  '0021 0001 0000003c 000c 0001 0002 1f90 03777777 c010',
  '0041 0001 0000003c 0005 0001 00 c010',
  'ff01 0001 ffffffff 0003 c0ffee',
  '000d 0001 0000003c 0004 0161 0162',
]
const owners = [
  'c00c',
  'c010',
  '00',
  '0177 c010',
  '03777777 07657861 6d706c65 03636f6d 00',
  'c01b',
  'c02d',
  'ffff',
]
const opts = [
  '00 0029 04d0 00000000 0000',
  '00 0029 1000 01008000 0008 000a 0004 00112233',
  '00 0029 04d0 00000000 0004 ffff',
]

const among = <T>(random: Random, all: readonly T[]): T => all[Math.floor(random() * all.length)] as T

function built(random: Random): Buffer {
  const counts = [4, 2, 3].map(most => Math.floor(random() * random() * most * 2))
  const pieces: Buffer[] = counts.flatMap(count =>
    Array.from({ length: count }, () => {
      const owner = random() < 0.8 ? 'c00c' : among(random, owners)
      return Buffer.concat([hex(owner), hex(among(random, records))])
    }),
  )
  const optCount = random() < 0.8 ? 1 : Math.floor(random() * 3)
  const at = random() < 0.9 ? pieces.length : Math.floor(random() * (pieces.length + 1))
  pieces.splice(at, 0, ...Array.from({ length: optCount }, () => hex(among(random, opts))))
  const header = hex('0001 8180 0001 0000 0000 0000')
  const rcode = random() < 0.9 ? among(random, [0, 0, 0, 2, 3, 5, 6]) : Math.floor(random() * 16)
  header.writeUInt16BE(0x8180 | rcode | (random() < 0.1 ? 0x420 : 0), 2)
  const [answer = 0, authority = 0, additional = 0] = counts
  header.writeUInt16BE(answer, 6)
  header.writeUInt16BE(authority, 8)
  header.writeUInt16BE(additional + optCount, 10)
  const repeats = random() < 0.9
  header.writeUInt16BE(repeats ? 1 : 0, 4)
  return Buffer.concat([header, ...(repeats ? [query.question] : []), ...pieces])
}

/** As it is, changed here and there, or cut. */
function answerOf(random: Random): Buffer {
  const message = built(random)
  if (random() < 0.4) return message
  for (let changes = Math.floor(random() * 4); changes >= 0; changes--)
    message[2 + Math.floor(random() * (message.length - 2))] = Math.floor(random() * 256)
  return random() < 0.2 ? message.subarray(0, Math.floor(random() * message.length)) : message
}

/** @throws Error for what nobody should be sent */
function wellFormed(reply: Buffer): ReadAnswer {
  const head = readHead(reply)
  const read = head && readAnswer(reply, head)
  if (read === undefined) throw new Error(`what is passed on cannot be read: ${reply.toString('hex')}`)
  if (read.id !== query.id || Buffer.compare(read.question, query.question) !== 0)
    throw new Error('it answers another question')
  if (!read.edns || read.end !== reply.length - 11)
    throw new Error('it does not end with an OPT record of ours')
  return read
}

const isDecoded = (decoded: packet.DecodedPacket | string): decoded is packet.DecodedPacket =>
  typeof decoded !== 'string'

function decoded(reply: Buffer): packet.DecodedPacket | string {
  try {
    return packet.decode(reply)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** What becomes of what an upstream sends, down to what a client gets, and how dns-packet reads that. */
export function passOn(message: Buffer): Outcome {
  const head = readHead(message)
  if (head === undefined) return 'no answer'
  if (!answers(head, asked)) return 'an answer to something else'
  const answer = readAnswer(message, head)
  if (answer === undefined) return 'garbage'
  const { kind, seconds } = judge(answer, query.type)
  if (seconds < 0 || seconds > 86_400) throw new Error(`it would be kept for ${seconds} s`)
  const reply = replyTo(query, keepAnswer(answer, 86_400), fresh)
  const read = wellFormed(reply)
  const isBare = answer.question.length === 0
  if (read.records.length !== (isBare ? 0 : answer.records.length)) throw new Error('records were lost')
  const cut = wellFormed(cutTo(reply, 100))
  if (cut.bytes.length > 100) throw new Error(`cut to ${cut.bytes.length} bytes`)
  const theirs = decoded(reply)
  if (!isDecoded(theirs)) return `${kind}; dns-packet reads no data of a type that we leave alone`
  const all = [...(theirs.answers ?? []), ...(theirs.authorities ?? []), ...(theirs.additionals ?? [])]
  if (all.length !== read.records.length + 1) throw new Error('dns-packet reads another number of records')
  return `${kind}${isBare ? ' without the question' : ''}; dns-packet reads it, too`
}

/** What upstreams send, beside dns-packet's reading of what we make of it. */
export const dnsUpstreams: Fuzzer = {
  name: 'dns-upstreams',
  input: seed => answerOf(seededRandom(seed)).toString('hex'),
  run: seed => passOn(answerOf(seededRandom(seed))),
  close: async () => {},
}
