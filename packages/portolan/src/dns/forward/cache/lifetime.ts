import { rcodes, types } from '../../codec/codes.ts'
import type { ReadAnswer } from '../message/answer-reading.ts'

/**
 * What an answer comes to. `failure`: the upstream could not or would not say; another one may. `other`: none of these
 * (RFC 2136 has more codes, and DNAME one): passed on, and never kept.
 */
export type Kind = 'positive' | 'negative' | 'failure' | 'other'

export interface Verdict {
  readonly kind: Kind
  /** For how long it may be kept. */
  readonly seconds: number
}

export const longestSeconds = 86_400
/** RFC 2308 section 5 allows three hours; names of a fleet come and go. */
export const longestNegativeSeconds = 60
/** RFC 9520 section 3.2: at least one, and at most 300. */
export const failureSeconds = 1

const yxdomain = 6

/** RFC 2308: what an answer to a question for `type` says, and for how long. */
export function judge(answer: ReadAnswer, type: number): Verdict {
  switch (answer.rcode) {
    case rcodes.NOERROR:
      return isPositive(answer, type) ? positive(answer) : nothingOfThisType(answer)
    case rcodes.NXDOMAIN:
      return negative(answer)
    case yxdomain:
      return { kind: 'other', seconds: 0 }
    default:
      return { kind: 'failure', seconds: failureSeconds }
  }
}

function isPositive({ records }: ReadAnswer, type: number): boolean {
  return records.some(record => record.section === 'answer' && record.type === type)
}

function positive({ records }: ReadAnswer): Verdict {
  const ttls = records.filter(({ section }) => section === 'answer').map(({ ttl }) => ttl)
  return { kind: 'positive', seconds: Math.min(longestSeconds, ...lowest(ttls)) }
}

/** RFC 2308 section 2.2: with an SOA, or at least without NS. NS alone is a referral: whoever sends us one does not recurse. */
function nothingOfThisType(answer: ReadAnswer): Verdict {
  const { records } = answer
  const isReferral =
    records.some(({ section, type }) => section === 'authority' && type === types.NS) &&
    !records.some(({ section, type }) => section === 'answer' || type === types.SOA)
  return isReferral ? { kind: 'failure', seconds: failureSeconds } : negative(answer)
}

/** RFC 2308 section 5: the lower one of the SOA's TTL and its minimum; without an SOA it is not kept. */
function negative({ records, bytes }: ReadAnswer): Verdict {
  const soa = records.find(({ section, type }) => section === 'authority' && type === types.SOA)
  if (soa === undefined) return { kind: 'negative', seconds: 0 }
  const minimum = bytes.readUInt32BE(soa.end - 4)
  const chain = records.filter(({ section }) => section === 'answer').map(({ ttl }) => ttl)
  return { kind: 'negative', seconds: Math.min(longestNegativeSeconds, soa.ttl, minimum, ...lowest(chain)) }
}

/** Sixteen thousand arguments are nothing for a stack to carry. */
function lowest(ttls: readonly number[]): readonly number[] {
  return ttls.length === 0 ? [] : [ttls.reduce((least, ttl) => Math.min(least, ttl))]
}
