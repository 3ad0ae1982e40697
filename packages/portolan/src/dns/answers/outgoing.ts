import type { Random } from '@portolan/core'
import type { Outgoing } from '../codec/message.ts'
import type { Query } from '../codec/query.ts'
import type { DnsRecord } from '../codec/record.ts'
import { drawOrder } from './order.ts'
import type { Answer, Reply } from './reply.ts'

/** How a reply goes out. */
export interface Sending {
  /** Bytes of the whole message. */
  readonly limit: number
  /** Draws the order. */
  readonly random: Random
  /** The largest UDP message that we take. */
  readonly udpSize: number
  /** Whether we ask others for names that are not ours. */
  readonly recursionAvailable: boolean
}

const headerSize = 12
/** A name by pointer, type, class, TTL and length (RFC 1035 section 4.1.3). */
const recordSize = 12
/** The least that each type has behind that; for names in them, a pointer or the root. */
const leastData: Readonly<Partial<Record<DnsRecord['type'], number>>> = { A: 4, AAAA: 16, SRV: 7 }

/** The message that answers a query, in an order of its own. */
export function outgoingOf(reply: Reply, query: Query, sending: Sending): Outgoing {
  const { limit, random, udpSize, recursionAvailable } = sending
  const drawn = drawOrder(reply.answers, random, mostOfUse(reply.answers, query, limit))
  return {
    id: query.id,
    recursionDesired: query.recursionDesired,
    checkingDisabled: query.checkingDisabled,
    recursionAvailable,
    authoritative: reply.authoritative,
    rcode: reply.rcode,
    question: query.question,
    answers: drawn.map(({ record }) => record),
    authority: reply.authority,
    // Instances on one address have its records in common.
    additional: [...new Set(drawn.flatMap(({ additional }) => additional))],
    limit,
    ...(query.edns === undefined ? {} : { edns: { size: udpSize, dnssecOk: query.edns.dnssecOk } }),
  }
}

/** One more than could fit, at least: the message is truncated, and says so, where there are more answers. */
function mostOfUse([first]: readonly Answer[], { question }: Query, limit: number): number {
  const least = recordSize + ((first && leastData[first.record.type]) ?? 1)
  return Math.floor(Math.max(0, limit - headerSize - question.length) / least) + 1
}
