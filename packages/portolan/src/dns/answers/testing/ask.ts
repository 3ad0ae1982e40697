import { seededRandom } from '@portolan/core'
import { classes, types } from '../../codec/codes.ts'
import type { Query } from '../../codec/query.ts'
import type { DnsRecord } from '../../codec/record.ts'
import type { Directory } from '../../directory/directory.ts'
import { domains } from '../../directory/testing/shop.ts'
import type { outgoingOf } from '../outgoing.ts'
import type { Reply } from '../reply.ts'
import { type AnswerContext, replyTo } from '../reply-to.ts'

export const settings: AnswerContext['settings'] = { domains, ttl: 1, negativeTtl: 1, srvWeightScale: 1 }

export type TypeName = keyof typeof types | 'HTTPS'

/** The reply to a question; names in lower case, without the last dot. */
export function ask(
  directory: Directory,
  name: string,
  type: TypeName = 'A',
  more: Partial<AnswerContext> = {},
): Reply | undefined {
  const question = { name, type: type === 'HTTPS' ? 65 : types[type], class: classes.IN }
  return replyTo(question, { directory, settings, addresses: ['192.0.2.53'], ...more })
}

/** What dig would show of it: the RCODE, or NODATA; or else what each answer says, in the order of the text. */
export function said(reply: Reply | undefined): string | readonly string[] {
  if (reply === undefined) return 'foreign'
  if (reply.rcode !== 'NOERROR') return reply.rcode
  if (reply.answers.length === 0) return 'NODATA'
  return reply.answers.map(({ record }) => dataOf(record)).sort()
}

/** The data of a record as zone files have it, names without the last dot. */
export function dataOf(record: DnsRecord): string {
  switch (record.type) {
    case 'A':
    case 'AAAA':
      return record.address
    case 'SRV':
      return `${record.priority} ${record.weight} ${record.port} ${record.target}`
    case 'TXT':
      return record.texts.join(' ')
    case 'PTR':
    case 'NS':
      return record.target
    case 'HINFO':
      return record.cpu
    case 'SOA':
      return `${record.primary} ${record.mailbox} ${record.serial}`
  }
}

/** A query as plain as can be, its question not read by anybody. */
export function queryFor(name: string, size?: number): Query {
  return {
    id: 7,
    recursionDesired: true,
    checkingDisabled: false,
    name,
    type: types.A,
    class: classes.IN,
    question: questionBytes(name),
    edns: size === undefined ? undefined : { size, dnssecOk: false, cookie: undefined },
  }
}

function questionBytes(name: string): Uint8Array {
  const labels = name.split('.').map(label => Buffer.concat([Buffer.of(label.length), Buffer.from(label)]))
  return Buffer.concat([...labels, Buffer.of(0, 0, 1, 0, 1)])
}

/** How a test sends: everything that does not matter filled in. */
export const sending = {
  limit: 1232,
  random: seededRandom(1),
  udpSize: 1232,
  recursionAvailable: false,
} satisfies Parameters<typeof outgoingOf>[2]
