import { classes, types } from '../../codec/codes.ts'
import type { Query } from '../../codec/query.ts'
import { writeMessage } from '../../codec/write-message.ts'
import { udpSize } from '../message/question-writing.ts'
import { type LocalAnswer, type LocalRules, specialAnswer } from './special.ts'

/** Long enough that whoever asks such questions leaves it for a while. */
const anySeconds = 3600
const longestMessage = 65_535

const refused: LocalAnswer = { rcode: 'REFUSED', authoritative: false, answers: [], authority: [] }

/**
 * Answers that no upstream is asked for. Refused is what is of another class, zone transfers, questions about messages
 * rather than names (RFC 6895 section 3.1), and what must not be recursed for: answers to that would tell strangers what
 * others have asked. ANY gets HINFO (RFC 8482 section 4.2). Then there are the names that are {@link specialAnswer}'s.
 */
export function localAnswer(query: Query, rules: LocalRules): LocalAnswer | undefined {
  const { name, type } = query
  if (query.class !== classes.IN || isMeta(type)) return refused
  if (type === types.ANY) return anyAnswer(name)
  return specialAnswer(name, type, rules) ?? (query.recursionDesired ? undefined : refused)
}

/** The OPT record, where there is one, is the last eleven bytes, as in all our replies. */
export function writeLocal(query: Query, answer: LocalAnswer): Buffer {
  const { id, recursionDesired, checkingDisabled, question, edns } = query
  return writeMessage({
    ...answer,
    id,
    recursionDesired,
    checkingDisabled,
    question,
    recursionAvailable: true,
    additional: [],
    limit: longestMessage,
    ...(edns === undefined ? {} : { edns: { size: udpSize, dnssecOk: edns.dnssecOk } }),
  })
}

function isMeta(type: number): boolean {
  return type === 0 || type === types.OPT || (type >= 128 && type < types.ANY)
}

function anyAnswer(name: string): LocalAnswer {
  const record = { name, ttl: anySeconds, type: 'HINFO', cpu: 'RFC8482', os: '' } as const
  return { rcode: 'NOERROR', authoritative: false, answers: [record], authority: [] }
}
