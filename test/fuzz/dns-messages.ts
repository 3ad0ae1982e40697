import { createRequire } from 'node:module'
import { seededRandom } from '@portolan/core'
import packet from 'dns-packet'
import type { Flaw, Query } from '../../packages/portolan/src/dns/codec/query.ts'
import { readQuery } from '../../packages/portolan/src/dns/codec/read-query.ts'
import {
  type Decoded,
  lowerCase,
  spelt,
} from '../../packages/portolan/src/dns/codec/testing/dns-packet-reading.ts'
import { knownInDns } from './dns-disagreements.ts'
import { queryOf } from './dns-inputs.ts'
import type { Fuzzer, Outcome } from './fuzzer.ts'

interface Numbers {
  toType(name: string): number
}
interface ClassNumbers {
  toClass(name: string): number
}

const require = createRequire(import.meta.url)
const { toType } = require('dns-packet/types') as Numbers
const { toClass } = require('dns-packet/classes') as ClassNumbers

type TheirReading = Decoded | { readonly refusal: string }

function readByDnsPacket(message: Buffer): TheirReading {
  try {
    return packet.decode(message) as Decoded
  } catch (error) {
    return { refusal: error instanceof Error ? error.message : String(error) }
  }
}

/** What of its refusals has to do with what it looks into, and we do not. */
function kindOf(refusal: string): string {
  if (refusal.includes('Cannot decode name')) return 'a name in a record'
  return 'the data of a record or an option'
}

const records = ({ answers = [], authorities = [], additionals = [] }: Decoded): packet.Answer[] => [
  ...answers,
  ...authorities,
  ...additionals,
]

/** Whether dns-packet, too, sees what we say is wrong; it looks at few lengths, so that the rest is ours to say. */
function isBorneOut(flaw: Flaw, theirs: Decoded): boolean {
  const opts = records(theirs).filter(isOpt)
  if (flaw === 'opcode') return theirs.opcode !== 'QUERY'
  if (flaw === 'questions') return theirs.questions?.length !== 1
  if (flaw === 'version') return opts.some(({ ednsVersion }) => ednsVersion !== 0)
  if (flaw === 'cookie') return opts.some(opt => !isCookie(cookieOf(opt)?.length ?? 0))
  return flaw !== 'opt' || opts.length > 0
}

const isCookie = (length: number): boolean => length === 8 || (length >= 16 && length <= 40)

const isOpt = (record: packet.Answer): record is packet.OptAnswer => record.type === 'OPT'

function cookieOf({ options }: packet.OptAnswer): Buffer | undefined {
  // Its types know four options alone.
  const all = options as readonly { readonly code: number; readonly data?: Buffer }[]
  return all.find(({ code }) => code === 10)?.data
}

/** The same of both, in one line. */
function ourLine({ id, recursionDesired, checkingDisabled, name, type, class: asked, edns }: Query): string {
  const opt = edns === undefined ? 'none' : [edns.size, edns.dnssecOk, hexOf(edns.cookie)].join()
  return [id, recursionDesired, checkingDisabled, JSON.stringify(spelt(name)), type, asked, opt].join(' ')
}

function theirLine({ id, flag_rd, flag_cd, questions, additionals }: packet.DecodedPacket): string {
  const [question] = questions ?? []
  const option = additionals?.find(isOpt)
  const opt =
    option === undefined
      ? 'none'
      : [Math.max(512, option.udpPayloadSize), option.flag_do, hexOf(cookieOf(option))].join()
  const name = JSON.stringify(lowerCase(question?.name ?? ''))
  return [
    id,
    flag_rd,
    flag_cd,
    name,
    numberOf(question?.type, toType),
    numberOf(question?.class, toClass),
    opt,
  ].join(' ')
}

function hexOf(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? 'no cookie' : Buffer.from(bytes).toString('hex')
}

/** Of a name of dns-packet's: `A`, `UNKNOWN_258`. */
function numberOf(name: string | undefined, known: (name: string) => number): number {
  const [, unknown] = /^UNKNOWN_(\d+)$/.exec(name ?? '') ?? []
  return unknown === undefined ? known(name ?? '') : Number(unknown)
}

/** @throws Error where there is no record that dns-packet may have taken for longer or shorter than it is */
function otherwise(theirs: Decoded, how: string): string {
  if (records(theirs).every(isOpt)) throw new Error(how)
  return knownInDns('we read it otherwise: records of other lengths')
}

/** What came of our reader and of dns-packet's for the same message. */
export function readQueryByBoth(message: Buffer): Outcome {
  const ours = readQuery(message)
  const theirs = readByDnsPacket(message)
  if (ours === 'dropped') {
    if (!('refusal' in theirs) && theirs.type !== 'response') throw new Error('a query is dropped')
    return 'dropped'
  }
  if ('rcode' in ours) {
    if ('refusal' in theirs) return `both refuse: ${ours.flaw}`
    if (isBorneOut(ours.flaw, theirs)) return knownInDns(`we refuse, dns-packet reads: ${ours.flaw}`)
    return otherwise(theirs, `we refuse it for its ${ours.flaw}`)
  }
  if ('refusal' in theirs) return knownInDns(`we read, dns-packet refuses: ${kindOf(theirs.refusal)}`)
  const [our, their] = [ourLine(ours), theirLine(theirs)]
  if (our !== their) return otherwise(theirs, `we read ${our}, dns-packet ${their}`)
  return packet.decode.bytes < message.length
    ? 'both read the same, with bytes behind it'
    : 'both read the same'
}

/** Our reader of queries beside dns-packet's. */
export const dnsMessages: Fuzzer = {
  name: 'dns-messages',
  input: seed => queryOf(seededRandom(seed)).toString('hex'),
  run: seed => readQueryByBoth(queryOf(seededRandom(seed))),
  close: async () => {},
}
