import { classes, rcodes, types } from '../../codec/codes.ts'
import type { Query } from '../../codec/query.ts'
import { headerLength } from '../message/answer-reading.ts'
import { bareAnswer, type KeptAnswer } from '../message/kept-answer.ts'

const hinfo = 13
/** Long enough that whoever asks such questions leaves it for a while. */
const anySeconds = 3600
const rfc8482 = 'RFC8482'

/**
 * Answers that no upstream is asked for: what is not of this class, zone transfers and questions about messages rather
 * than names (RFC 6895 section 3.1) are refused; so is what must not be recursed for, which would only tell strangers
 * what others have asked; ANY gets HINFO (RFC 8482 section 4.2).
 */
export function guarded(query: Query): KeptAnswer | undefined {
  const { type, question } = query
  if (query.class !== classes.IN || isMeta(type)) return bareAnswer(question, rcodes.REFUSED)
  if (type === types.ANY) return anyAnswer(question)
  return query.recursionDesired ? undefined : bareAnswer(question, rcodes.REFUSED)
}

function isMeta(type: number): boolean {
  return type === 0 || type === types.OPT || (type >= 128 && type < types.ANY)
}

function anyAnswer(question: Uint8Array): KeptAnswer {
  const bare = bareAnswer(question, rcodes.NOERROR)
  const data = Buffer.from(`${String.fromCharCode(rfc8482.length)}${rfc8482}\0`, 'latin1')
  const fixed = Buffer.alloc(12)
  fixed.writeUInt16BE(0xc000 | headerLength, 0)
  fixed.writeUInt16BE(hinfo, 2)
  fixed.writeUInt16BE(classes.IN, 4)
  fixed.writeUInt32BE(anySeconds, 6)
  fixed.writeUInt16BE(data.length, 10)
  const body = Buffer.concat([bare.body, fixed, data])
  body.writeUInt16BE(1, 6)
  return { ...bare, body }
}
