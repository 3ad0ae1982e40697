import { types } from '../../codec/codes.ts'
import { behindName } from './name.ts'
import { isData } from './record-data.ts'

export const headerLength = 12

/** Bits of the header's second word (RFC 1035 section 4.1.1, RFC 4035 section 3.1.6). */
export const flag = {
  QR: 0x8000,
  AA: 0x0400,
  TC: 0x0200,
  RD: 0x0100,
  RA: 0x0080,
  AD: 0x0020,
  CD: 0x0010,
} as const
const opcodeBits = 0x7800

/** What shows whether a message answers a question at all. */
export interface AnswerHead {
  readonly id: number
  readonly flags: number
  /** Name, type and class as they were repeated; empty where they were not. */
  readonly question: Uint8Array
}

export type Section = 'answer' | 'authority' | 'additional'

export interface ReadRecord {
  readonly section: Section
  readonly start: number
  readonly type: number
  readonly ttlAt: number
  /** Seconds; 0 where the highest bit was set (RFC 2181 section 8). */
  readonly ttl: number
  readonly dataAt: number
  readonly end: number
}

export interface ReadAnswer extends AnswerHead {
  readonly bytes: Buffer
  /** RFC 6891 section 6.1.3: twelve bits of it, four without an OPT record. */
  readonly rcode: number
  /** Whether it had an OPT record. */
  readonly edns: boolean
  /** All before the OPT record, which itself is left out. What stands behind it is a matter between those two. */
  readonly records: readonly ReadRecord[]
  /** Where the last of them ends. */
  readonly end: number
}

/** Undefined: it is no answer to one question, whatever else it may be. Quick: anybody may send us such. */
export function readHead(bytes: Buffer): AnswerHead | undefined {
  if (bytes.length < headerLength) return undefined
  const flags = bytes.readUInt16BE(2)
  if ((flags & flag.QR) === 0 || (flags & opcodeBits) !== 0) return undefined
  const id = bytes.readUInt16BE(0)
  const questions = bytes.readUInt16BE(4)
  if (questions === 0) return { id, flags, question: bytes.subarray(headerLength, headerLength) }
  const nameEnd = behindName(bytes, headerLength)
  if (questions > 1 || nameEnd < 0 || nameEnd + 4 > bytes.length) return undefined
  return { id, flags, question: bytes.subarray(headerLength, nameEnd + 4) }
}

/**
 * Reads where the records of an answer are, and not what they say: the bytes are passed on as they came, with all that
 * we know nothing of. Every name and length in it has been looked at: whoever reads it after us meets no circle.
 * Undefined: it is broken. What follows the last record is cut off.
 */
export function readAnswer(bytes: Buffer, head: AnswerHead): ReadAnswer | undefined {
  const counts = [6, 8, 10].map(at => bytes.readUInt16BE(at))
  const records: ReadRecord[] = []
  const fleeting = new Uint8Array(bytes.length)
  let opt: ReadRecord | undefined
  let at = headerLength + head.question.length
  for (const [index, section] of (['answer', 'authority', 'additional'] as const).entries()) {
    for (let left = counts[index] ?? 0; left > 0; left--) {
      const record = readRecord(bytes, at, section, fleeting)
      if (record === undefined) return undefined
      at = record.end
      if (record.type !== types.OPT) {
        if (opt === undefined) records.push(record)
        continue
      }
      if (opt !== undefined || section !== 'additional' || record.ttlAt !== record.start + 5) return undefined
      opt = record
    }
  }
  // The TTL of an OPT record begins with the upper eight bits of the response code.
  const upper = opt === undefined ? 0 : (bytes[opt.ttlAt] ?? 0)
  const rcode = (upper << 4) | (head.flags & 0xf)
  return { ...head, bytes, rcode, edns: opt !== undefined, records, end: opt?.start ?? at }
}

function readRecord(
  bytes: Buffer,
  start: number,
  section: Section,
  fleeting: Uint8Array,
): ReadRecord | undefined {
  const nameEnd = behindName(bytes, start, fleeting)
  if (nameEnd < 0 || nameEnd + 10 > bytes.length) return undefined
  const type = bytes.readUInt16BE(nameEnd)
  const ttlAt = nameEnd + 4
  const ttl = bytes.readInt32BE(ttlAt)
  const dataAt = nameEnd + 10
  const end = dataAt + bytes.readUInt16BE(nameEnd + 8)
  fleeting.fill(1, ttlAt, ttlAt + 4)
  if (end > bytes.length || !isData(bytes, type, { at: dataAt, end, fleeting })) return undefined
  return { section, start, type, ttlAt, ttl: Math.max(0, ttl), dataAt, end }
}
