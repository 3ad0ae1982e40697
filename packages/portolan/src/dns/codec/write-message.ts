import { rcodes, types } from './codes.ts'
import { flags, header, largestMessage } from './header.ts'
import { writeUint16 } from './integers.ts'
import type { Outgoing, OutgoingEdns } from './message.ts'
import { MessageBody } from './message-body.ts'
import type { DnsRecord } from './record.ts'

/** An OPT record without options, and what an option takes besides its data. */
const optBytes = 11
const optionBytes = 4
const cookieOption = 10
const dnssecOk = 0x8000

/**
 * A whole message, with names compressed (RFC 1035 section 4.1.4): owners, and those that NS, PTR and SOA name; not SRV
 * targets (RFC 2782), but other names point into those. The records written are the first so many of answers, authority
 * and additional, in this order: less room never makes more of them. However the question is spelt (0x20), the reply is
 * the same but for the question's own bytes.
 * @throws RangeError for a record that nobody could write, and for an RCODE above 15 without an OPT record
 */
export function writeMessage(outgoing: Outgoing): Buffer {
  const { question, answers, authority, additional, edns } = outgoing
  const rcode = rcodes[outgoing.rcode]
  if (rcode > 15 && edns === undefined) throw new RangeError(`${outgoing.rcode} takes an OPT record`)
  const room = Math.min(outgoing.limit, largestMessage) - (edns === undefined ? 0 : sizeOf(edns))
  const body = new MessageBody(question, room)
  const answered = writeAll(body, answers)
  const isCut = answered < answers.length
  const referred = isCut ? 0 : writeAll(body, authority)
  const added = isCut || referred < authority.length ? 0 : writeAdditional(body, additional)

  const { bytes } = body
  let end: number = body.at
  if (edns !== undefined) end = writeOpt(edns, rcode, bytes, end)
  writeUint16(bytes, header.id, outgoing.id)
  writeUint16(bytes, header.flags, flagsOf(outgoing, isCut) | (rcode & 15))
  writeUint16(bytes, header.questions, question === undefined ? 0 : 1)
  writeUint16(bytes, header.answers, answered)
  writeUint16(bytes, header.authority, referred)
  writeUint16(bytes, header.additional, added + (edns === undefined ? 0 : 1))
  return Buffer.from(bytes.subarray(0, end))
}

/** @returns how many there was room for */
function writeAll(body: MessageBody, records: readonly DnsRecord[]): number {
  let written = 0
  for (const record of records) {
    if (!body.write(record)) break
    written++
  }
  return written
}

/**
 * As many as would fit a message in which their names were not compressed. c-ares, on which Node's resolver stands,
 * writes every message anew with less compression than ours, and fails where that gets longer than any message may be.
 */
function writeAdditional(body: MessageBody, records: readonly DnsRecord[]): number {
  let written = 0
  let plainEnd = body.at
  for (const record of records) {
    const start = body.at
    if (!body.write(record)) break
    plainEnd += body.at - start + record.name.length
    if (plainEnd > largestMessage) {
      body.at = start
      break
    }
    written++
  }
  return written
}

function flagsOf(outgoing: Outgoing, isCut: boolean): number {
  let bits = flags.response | ((outgoing.opcode ?? 0) << 11)
  if (outgoing.authoritative) bits |= flags.authoritative
  if (isCut || outgoing.truncated === true) bits |= flags.truncated
  if (outgoing.recursionDesired) bits |= flags.recursionDesired
  if (outgoing.recursionAvailable) bits |= flags.recursionAvailable
  if (outgoing.checkingDisabled) bits |= flags.checkingDisabled
  return bits
}

function sizeOf({ cookie }: OutgoingEdns): number {
  return cookie === undefined ? optBytes : optBytes + optionBytes + cookie.length
}

/** RFC 6891 section 6.1.2, RFC 7873 section 4. */
function writeOpt(edns: OutgoingEdns, rcode: number, bytes: Buffer, at: number): number {
  const { cookie } = edns
  bytes[at] = 0
  writeUint16(bytes, at + 1, types.OPT)
  writeUint16(bytes, at + 3, edns.size)
  bytes[at + 5] = rcode >>> 4
  bytes[at + 6] = 0
  writeUint16(bytes, at + 7, edns.dnssecOk ? dnssecOk : 0)
  writeUint16(bytes, at + 9, cookie === undefined ? 0 : optionBytes + cookie.length)
  if (cookie === undefined) return at + optBytes
  writeUint16(bytes, at + 11, cookieOption)
  writeUint16(bytes, at + 13, cookie.length)
  bytes.set(cookie, at + 15)
  return at + 15 + cookie.length
}
