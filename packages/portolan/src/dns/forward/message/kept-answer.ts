import type { Query } from '../../codec/query.ts'
import { flag, headerLength, type ReadAnswer } from './answer-reading.ts'
import { cutTo } from './cutting.ts'
import { optLength, writeOpt } from './question-writing.ts'

/** The largest message there can be: TCP says its length in two bytes. */
const longestMessage = 65_535

/** An upstream's answer without what was between it and us: its id, its flags of the day, its OPT record. */
export interface KeptAnswer {
  /** Its records as they came, so that whatever they point to is where they say; TTLs are capped. */
  readonly body: Buffer
  readonly rcode: number
  /** The upstream has proved it (RFC 4035 section 3.2.3). */
  readonly authentic: boolean
  /** Where in `body` the TTLs are. */
  readonly ttlsAt: readonly number[]
}

/** What time has made of the TTLs: so many seconds are gone, or so many are left whatever they were. */
export type Aging = { readonly goneSeconds: number } | { readonly leftSeconds: number }

export const fresh: Aging = { goneSeconds: 0 }

/**
 * Of an answer that does not repeat the question nothing but its code is kept.
 * @param longestTtl seconds that no record may claim to be good for
 */
export function keepAnswer(answer: ReadAnswer, longestTtl: number): KeptAnswer {
  const { bytes, records, end, rcode, flags, question } = answer
  if (question.length === 0) return bareAnswer(question, rcode)
  // One of its own: a part of a pool's slab would keep the whole slab in memory.
  const body = Buffer.allocUnsafeSlow(end)
  bytes.copy(body, 0, 0, end)
  const additional = records.filter(({ section }) => section === 'additional').length
  body.writeUInt16BE(additional, 10)
  for (const { ttlAt, ttl } of records) body.writeUInt32BE(Math.min(ttl, longestTtl), ttlAt)
  const ttlsAt = records.map(({ ttlAt }) => ttlAt)
  return { body, rcode, authentic: (flags & flag.AD) !== 0, ttlsAt }
}

/** An answer that says no more than its code. An empty question is filled in by {@link replyTo}. */
export function bareAnswer(question: Uint8Array, rcode: number): KeptAnswer {
  const body = Buffer.allocUnsafeSlow(headerLength + question.length).fill(0)
  body.writeUInt16BE(question.length === 0 ? 0 : 1, 4)
  body.set(question, headerLength)
  return { body, rcode, authentic: false, ttlsAt: [] }
}

/**
 * What the client gets: the kept records under its own id and question, of which the name's case alone may differ from
 * the one that was asked with. Where it sent an OPT record there is one, the last eleven bytes, without options: whoever
 * sends the message may put a cookie into it.
 */
export function replyTo(query: Query, answer: KeptAnswer, aging: Aging): Buffer {
  const kept = isQuestionless(answer) ? bareAnswer(query.question, answer.rcode) : answer
  const { body, ttlsAt, rcode } = kept
  const { edns } = query
  const reply = Buffer.allocUnsafe(body.length + (edns === undefined ? 0 : optLength))
  body.copy(reply)
  reply.writeUInt16BE(query.id, 0)
  reply.writeUInt16BE(flagsOf(query, kept), 2)
  reply.set(query.question, headerLength)
  for (const at of ttlsAt) reply.writeUInt32BE(aged(body.readUInt32BE(at), aging), at)
  if (edns !== undefined) {
    reply.writeUInt16BE(body.readUInt16BE(10) + 1, 10)
    writeOpt(reply, body.length, rcode >> 4, edns.dnssecOk)
  }
  return cutTo(reply, longestMessage)
}

function isQuestionless({ body }: KeptAnswer): boolean {
  return body.readUInt16BE(4) === 0
}

/** AD goes to those who asked for DNSSEC alone (RFC 6840 section 5.8). */
function flagsOf(
  { recursionDesired, checkingDisabled, edns }: Query,
  { rcode, authentic }: KeptAnswer,
): number {
  const asked = (recursionDesired ? flag.RD : 0) | (checkingDisabled ? flag.CD : 0)
  const proved = authentic && edns?.dnssecOk === true ? flag.AD : 0
  return flag.QR | flag.RA | asked | proved | (rcode & 0xf)
}

function aged(ttl: number, aging: Aging): number {
  return 'leftSeconds' in aging ? aging.leftSeconds : Math.max(0, ttl - aging.goneSeconds)
}
