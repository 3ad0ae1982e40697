import { flags, header } from './header.ts'
import { readUint16 } from './integers.ts'
import { readName } from './names.ts'
import type { Flaw, QueryReading, Unreadable } from './query.ts'
import { readRecords } from './read-records.ts'

/**
 * Reads what a client has sent. Never throws; takes time by the message's length, whatever is in it. The question must
 * be one (RFC 9619), and written out: there is nothing before it that a pointer could lead to.
 */
export function readQuery(message: Uint8Array): QueryReading {
  if (message.length < header.end) return 'dropped'
  const bits = readUint16(message, header.flags)
  if ((bits & flags.response) !== 0) return 'dropped'
  const isOne = readUint16(message, header.questions) === 1
  const asked = isOne ? readName(message, header.end) : undefined
  const end = asked === undefined || asked.end + 4 > message.length ? undefined : asked.end + 4
  const question = end === undefined ? undefined : message.subarray(header.end, end)
  const records = end === undefined ? undefined : readRecords(message, end)

  const id = readUint16(message, header.id)
  const opcode = (bits >>> 11) & 15
  const recursionDesired = (bits & flags.recursionDesired) !== 0
  const unreadable = (flaw: Flaw): Unreadable => ({
    rcode: flaw === 'opcode' ? 'NOTIMP' : flaw === 'version' ? 'BADVERS' : 'FORMERR',
    flaw,
    id,
    opcode,
    recursionDesired,
    question,
    edns: records?.opt ?? false,
  })
  if (opcode !== 0) return unreadable('opcode')
  if (!isOne) return unreadable('questions')
  if (asked === undefined || question === undefined || records === undefined) return unreadable('question')
  if (records.flaw !== undefined) return unreadable(records.flaw)
  return {
    id,
    recursionDesired,
    checkingDisabled: (bits & flags.checkingDisabled) !== 0,
    name: asked.text,
    type: readUint16(message, asked.end),
    class: readUint16(message, asked.end + 2),
    question,
    edns: records.edns,
  }
}
